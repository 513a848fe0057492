"""What a conversation wants done: the shell carries these out, in order, after every call it makes."""

import msgspec

from sipgw.ai.events import Report


class _Action(msgspec.Struct, frozen=True, gc=False):
    """Structs: some are made and thrown away fifty times a second, which takes a fifth of a named tuple's time."""


class Play(_Action, frozen=True, gc=False):
    """Queue audio for the caller."""

    audio: bytes
    item: str


class EndItem(_Action, frozen=True, gc=False):
    """The item is complete."""

    item: str


class ClearPlayout(_Action, frozen=True, gc=False):
    """Drop everything queued, at once, and hand the result to `Conversation.cleared` before anything else."""


class PlaceMark(_Action, frozen=True, gc=False):
    """Put a mark behind everything queued."""

    name: str


class Send(_Action, frozen=True, gc=False):
    """Send to the backend's socket, never to be dropped."""

    message: str | bytes


class Tell(_Action, frozen=True, gc=False):
    """Report to control."""

    report: Report


class Reconnect(_Action, frozen=True, gc=False):
    """Let go of the socket and, after a while, open what `Conversation.connect` says."""

    attempt: int
    """From 0; how long the while is depends on it."""


class CloseSocket(_Action, frozen=True, gc=False):
    """Close the socket (RFC 6455 section 7.4)."""

    code: int
    reason: str


Action = Play | EndItem | ClearPlayout | PlaceMark | Send | Tell | Reconnect | CloseSocket
