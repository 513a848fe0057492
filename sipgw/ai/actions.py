"""What a conversation wants done: the shell carries these out, in order, after every call it makes."""

from typing import NamedTuple

from sipgw.ai.events import Report


class Play(NamedTuple):
    """Queue audio for the caller. A named tuple and not a struct: fifty a second, made and thrown away."""

    audio: bytes
    item: str


class EndItem(NamedTuple):
    """The item is complete."""

    item: str


class ClearPlayout(NamedTuple):
    """Drop everything queued, at once, and hand the result to `Conversation.cleared` before anything else."""


class PlaceMark(NamedTuple):
    """Put a mark behind everything queued."""

    name: str


class Send(NamedTuple):
    """Send to the backend's socket, never to be dropped."""

    message: str | bytes


class Tell(NamedTuple):
    """Report to control."""

    report: Report


class Reconnect(NamedTuple):
    """Let go of the socket and, after a while, open what `Conversation.connect` says."""

    attempt: int
    """From 0; how long the while is depends on it."""


class CloseSocket(NamedTuple):
    """Close the socket (RFC 6455 section 7.4)."""

    code: int
    reason: str


Action = Play | EndItem | ClearPlayout | PlaceMark | Send | Tell | Reconnect | CloseSocket
