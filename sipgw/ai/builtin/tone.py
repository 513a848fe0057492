"""The `tone` backend: a sine without end, to hear whether a path is clean and where it breaks."""

from typing import Annotated

import msgspec

from sipgw.ai.builtin.base import Builtin, pcm16, settings_of
from sipgw.ai.events import CallFacts, Ended, GatewayEvent, Interrupted, Speech, Started
from sipgw.audio.tones import Tone as Sine
from sipgw.options import BackendOptions

PIECE_MS = 100
AHEAD_MS = 200
"""How much the caller's queue holds, so that a late tick is not heard."""
LATE = 1.0
"""Seconds behind which the tone gives up catching up."""


class ToneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `settings` of a `tone` backend."""

    frequency_hz: Annotated[float, msgspec.Meta(ge=20, le=3800)] = 440.0
    level_dbfs: Annotated[float, msgspec.Meta(ge=-80, le=0)] = -12.0


class Tone(Builtin):
    """Sounds from the start of the conversation to its end, whatever the caller does."""

    def __init__(self, options: BackendOptions, facts: CallFacts) -> None:
        super().__init__(options)
        audio, settings = pcm16(options), settings_of(options, ToneSettings)
        self._sine = Sine(settings.frequency_hz, rate_hz=audio.rate_hz, level_dbfs=settings.level_dbfs)
        self._item = 0
        self._due: float | None = None

    def send(self, event: GatewayEvent, now: float) -> None:
        """Begin, begin anew after an interruption, or end."""
        match event:
            case Started() | Interrupted():
                self._item += 1
                self._due = now + PIECE_MS / 1000
                self._sound(AHEAD_MS)
            case Ended():
                self._due = None

    def handle_timers(self, now: float) -> None:
        """Keep the caller's queue filled."""
        if self._due is None or now < self._due:
            return
        self._due = max(self._due, now - LATE)
        while self._due <= now:
            self._sound(PIECE_MS)
            self._due += PIECE_MS / 1000

    def next_timer(self) -> float | None:
        """When the next piece is due."""
        return self._due

    def _sound(self, ms: int) -> None:
        self._events.append(Speech(self._sine.frame(ms).tobytes(), f"tone-{self._item}"))
