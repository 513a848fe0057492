"""What every backend's dialect offers: a pure core that translates between our events and one backend's messages."""

from typing import Protocol

import msgspec

from sipgw.ai.events import AudioFormat, BackendEvent, GatewayEvent


class Connect(msgspec.Struct, frozen=True):
    """A WebSocket the shell is to open for the dialect."""

    url: str
    headers: dict[str, str] = {}
    subprotocols: tuple[str, ...] = ()


class Dialect(Protocol):
    """One conversation's translator. Does no I/O, never reads a clock, returns for any message whatever.

    `open` says what to connect to; None means that the backend is built in and needs no socket. After any other
    call the shell takes `to_send()` and `events()`.
    """

    audio_format: AudioFormat
    """Of `audio` and of the `Speech` events alike."""
    frame_ms: int
    """Length of the pieces `audio` wants; the worker's cutter keeps remainders."""

    def open(self, now: float) -> Connect | None:
        """The connection to open; called again for a reconnection, with a fresh session to set up."""

    def connected(self, now: float) -> None:
        """The socket is open."""

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """The socket closed (RFC 6455 close code, 1006 without one); yields `Failed` unless it was expected."""

    def receive(self, message: str | bytes, now: float) -> None:
        """A text or binary message of the backend."""

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """The message that carries a frame of the caller's audio, or None where there is nothing to send.

        Where there is a message, nothing else comes of the frame: no event, no other message, no timer.
        """

    def send(self, event: GatewayEvent, now: float) -> None:
        """Translate an event for the backend."""

    def handle_timers(self, now: float) -> None:
        """Do what is due."""

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted next, or None."""

    def to_send(self) -> list[str | bytes]:
        """Take the messages to send, in order."""

    def events(self) -> list[BackendEvent]:
        """Take what the backend said, in order."""
