"""Whom the transports serve."""

from typing import Protocol

from sipgw.flow import Flow


class User(Protocol):
    """Takes what comes, and says who may come."""

    def receive(self, data: bytes, source: Flow) -> None:
        """A message came."""

    def broke(self, error: Exception, flow: Flow) -> None:
        """A stream cannot be read on; what is sent at once is the last that leaves on it."""

    def refused(self, name: str, flow: Flow) -> None:
        """The system would not send a datagram; `name` is the error's."""

    def lost(self, flow: Flow) -> None:
        """A connection is over, or could not be made."""

    def welcome(self, flow: Flow) -> bool:
        """Whether who is at the other end of a connection may have one."""

    def spares(self, flow: Flow) -> bool:
        """Whether the limits of connections are not for who is at the other end: strangers must not take its place."""
