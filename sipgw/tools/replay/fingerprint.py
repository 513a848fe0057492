"""A coarse fingerprint of sound, to tell whether two runs sound alike, not whether they are equal.

For each 100 ms: the level (dBFS, nothing below -60) and the spectral centroid (Hz, the middle of gravity of the
spectrum; 0 where it is silent). Two sounds are alike where, shifted by at most 300 ms against each other, their levels
go up and down together (correlation), are as loud as each other in the middle, and where both are loud their
centroids are close.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipgw.tools.wav import Pcm

RATE_HZ = 8000
WINDOW_MS = 100
FLOOR_DBFS = -60
_WINDOW = RATE_HZ * WINDOW_MS // 1000
_MOST_SHIFT = 3
_LOUD_DBFS = -45
"""Below this a centroid is that of noise."""
_STEADY_DB = 1.0
"""A level that varies less has no shape that could correlate."""
_LOUDER_DB = 3.0
"""Levels that differ by so much on average are half alike."""
_OCTAVE = 1.0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of one sound."""

    seconds: float
    levels_dbfs: tuple[int, ...]
    centroids_hz: tuple[int, ...]

    def likeness(self, other: "Fingerprint") -> float:
        """0 for different sounds, 1 for the same; 1 for two silences."""
        if not self.levels_dbfs or not other.levels_dbfs:
            return float(self.levels_dbfs == other.levels_dbfs)
        return max(self._at(other, shift) for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1))

    def _at(self, other: "Fingerprint", shift: int) -> float:
        count = max(len(self.levels_dbfs), len(other.levels_dbfs)) + _MOST_SHIFT
        levels = _line(self.levels_dbfs, 0, count, FLOOR_DBFS), _line(other.levels_dbfs, shift, count, FLOOR_DBFS)
        pitches = _line(self.centroids_hz, 0, count, 0), _line(other.centroids_hz, shift, count, 0)
        shape = _together(*levels)
        loudness = 0.5 ** (float(np.abs(levels[0] - levels[1]).mean()) / _LOUDER_DB)
        loud = (levels[0] > _LOUD_DBFS) & (levels[1] > _LOUD_DBFS) & (pitches[0] > 0) & (pitches[1] > 0)
        return float(min(shape, 1.0) * loudness * _pitch(pitches[0][loud], pitches[1][loud]))


def fingerprint(pcm: Pcm) -> Fingerprint:
    """Of samples at 8 kHz."""
    whole = len(pcm) // _WINDOW * _WINDOW
    if not whole:
        return Fingerprint(round(len(pcm) / RATE_HZ, 2), (), ())
    windows = pcm[:whole].reshape(-1, _WINDOW).astype(np.float64) / 32_768
    power = (windows**2).mean(axis=1)
    levels = np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR_DBFS)
    spectra = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2
    bins = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    centroids = (spectra @ bins) / np.maximum(spectra.sum(axis=1), 1e-12)
    centroids[levels <= FLOOR_DBFS] = 0
    return Fingerprint(
        round(len(pcm) / RATE_HZ, 2),
        tuple(int(level) for level in np.rint(levels)),
        tuple(int(centroid) for centroid in np.rint(centroids / 10) * 10),
    )


def _line(values: tuple[int, ...], shift: int, count: int, rest: int) -> NDArray[np.float64]:
    """Values on a line of `count`, moved by `shift`; what lies outside is cut off or filled."""
    line = np.full(count, float(rest))
    moved = values[max(-shift, 0) :]
    start = max(shift, 0)
    size = min(len(moved), count - start)
    line[start : start + size] = moved[:size]
    return line


def _together(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Correlation; for levels that hardly vary there is none, and loudness alone decides."""
    spread = first.std(), second.std()
    if max(spread) < _STEADY_DB:
        return 1.0
    if min(spread) == 0:
        return 0.0
    return max(float(np.corrcoef(first, second)[0, 1]), 0.0)


def _pitch(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Half alike where the centroids are an octave apart on average."""
    return 1.0 if not len(first) else 0.5 ** (float(np.abs(np.log2(first / second)).mean()) / _OCTAVE)
