"""How loud PCM is, and the short fades that keep a cut from clicking."""

import math

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

FADE_MS = 5
SILENCE_DBFS = -96.0
"""What digital silence counts as: the step of 16 bits."""
_FULL_SCALE_RMS = 32_767 / math.sqrt(2)


def rms(pcm: Pcm) -> float:
    """Root mean square; 0 for no samples."""
    if not pcm.size:
        return 0.0
    samples = pcm.ravel().astype(np.float64)
    return math.sqrt(float(np.dot(samples, samples)) / pcm.size)


def dbfs(pcm: Pcm) -> float:
    """Level against a sine of full scale, which is 0 dBFS; never below `SILENCE_DBFS`."""
    value = rms(pcm)
    return max(20 * math.log10(value / _FULL_SCALE_RMS), SILENCE_DBFS) if value else SILENCE_DBFS


def fade_out(pcm: Pcm, rate_hz: int, ms: int = FADE_MS) -> Pcm:
    """The first `ms` of `pcm`, falling to silence: what is still played of speech that was cleared."""
    head = pcm[: rate_hz * ms // 1000]
    return np.rint(head * _ramp(len(head))[::-1]).astype(np.int16)


def fade_in(pcm: Pcm, rate_hz: int, ms: int = FADE_MS) -> Pcm:
    """All of `pcm`, its first `ms` rising from silence."""
    faded = pcm.copy()
    head = faded[: rate_hz * ms // 1000]
    head[:] = np.rint(head * _ramp(len(head))).astype(np.int16)
    return faded


def _ramp(samples: int) -> NDArray[np.float64]:
    """Half a cosine from 0 up to 1: its slope is zero at both ends."""
    return 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, samples))
