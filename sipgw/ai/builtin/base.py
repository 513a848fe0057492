"""What the built-in backends share: there is no socket, so nothing to send and nothing that closes."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from sipgw.ai.dialect import Connect
from sipgw.ai.events import AudioFormat, BackendEvent, GatewayEvent, Ready
from sipgw.options import BackendOptions

T = TypeVar("T", bound=msgspec.Struct)


class Builtin:
    """A dialect that is its own backend; ready at once, hears nothing and says nothing."""

    frame_ms = 20

    def __init__(self, options: BackendOptions) -> None:
        self.audio_format = AudioFormat(options.audio)
        self._events: list[BackendEvent] = []

    def open(self, now: float) -> Connect | None:
        """No socket is needed."""
        self._events.append(Ready())
        return None

    def connected(self, now: float) -> None:
        """There is nothing to wait for."""

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """Never comes."""

    def receive(self, message: str | bytes, now: float) -> None:
        """Never comes."""

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """Hear a frame of the caller."""
        return None

    def send(self, event: GatewayEvent, now: float) -> None:
        """Take note of an event."""

    def handle_timers(self, now: float) -> None:
        """Do what is due."""

    def next_timer(self) -> float | None:
        """When something is due."""
        return None

    def to_send(self) -> list[str | bytes]:
        """There is nobody to send to."""
        return []

    def events(self) -> list[BackendEvent]:
        """Take what was said, in order."""
        taken, self._events = self._events, []
        return taken


def pcm16(options: BackendOptions) -> AudioFormat:
    """The format of a backend that has to understand its samples. Raises ValueError for one that is not PCM16."""
    audio = AudioFormat(options.audio)
    if audio.sample_bytes != 2:
        raise ValueError(f"backend {options.name}: {options.dialect} speaks pcm16, not {options.audio}")
    return audio


def settings_of(options: BackendOptions, kind: type[T]) -> T:
    """The dialect's settings. Raises ValueError for an unknown key or a wrong type."""
    given: Mapping[str, object] = options.settings
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"backend {options.name}: settings: {error}") from error


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a dialect that has none."""
