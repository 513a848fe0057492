"""Sine tones of one or more frequencies, and the ringing tone made of them (ITU-T E.180)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

FULL_SCALE = 32_767


@dataclass(frozen=True, slots=True)
class Cadence:
    """How long a tone sounds and pauses, over and over."""

    on: float
    off: float


class Tone:
    """A tone that goes on where the last piece ended, without a click.

    Args:
        frequencies_hz: of its components, which are equally loud.
        rate_hz: samples a second.
        level_dbfs: of the whole tone; a sine that just fits is 0 dBFS.
        cadence: None for a tone without pauses.
    """

    __slots__ = ("_amplitude", "_cadence", "_position", "_steps", "rate_hz")

    def __init__(
        self, *frequencies_hz: float, rate_hz: int = 8000, level_dbfs: float = -12.0, cadence: Cadence | None = None
    ) -> None:
        self.rate_hz = rate_hz
        self._steps = [2 * np.pi * hz / rate_hz for hz in frequencies_hz]
        self._amplitude = FULL_SCALE * 10 ** (level_dbfs / 20) / np.sqrt(max(len(frequencies_hz), 1))
        self._cadence = cadence
        self._position = 0

    def take(self, samples: int) -> Pcm:
        """The next so many samples."""
        at = np.arange(self._position, self._position + samples)
        self._position += samples
        # The phase comes from the position itself, not from a sum, so that it is exact after hours.
        wave = self._amplitude * np.sum([np.sin(step * at) for step in self._steps], axis=0)
        if self._cadence:
            wave = wave * self._sounds(at, self._cadence)
        return np.asarray(np.clip(np.rint(wave), -FULL_SCALE - 1, FULL_SCALE), np.int16)

    def frame(self, ms: int = 20) -> Pcm:
        """The next so many milliseconds."""
        return self.take(self.rate_hz * ms // 1000)

    def _sounds(self, at: NDArray[np.int64], cadence: Cadence) -> NDArray[np.bool_]:
        period = round((cadence.on + cadence.off) * self.rate_hz)
        return at % period < round(cadence.on * self.rate_hz)


RINGING: dict[str, tuple[tuple[float, ...], Cadence]] = {
    "us": ((440.0, 480.0), Cadence(2.0, 4.0)),
    "eu": ((425.0,), Cadence(1.0, 4.0)),
}
"""Frequencies and cadence of the ringing tone, by region."""


def ringback(region: str = "us", rate_hz: int = 8000, level_dbfs: float = -19.0) -> Tone:
    """The tone a caller hears while the far end rings."""
    frequencies_hz, cadence = RINGING[region]
    return Tone(*frequencies_hz, rate_hz=rate_hz, level_dbfs=level_dbfs, cadence=cadence)
