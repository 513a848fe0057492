"""Sound in these stories: packets that came, tones to send, and how loud a tone is in what was heard."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipgw_codecs.g711 import PCMU

Pcm = NDArray[np.int16]

RATE_HZ = 8000
_AUDIBLE = 100
"""Samples above this are sound; G.711 silence and filter ringing stay below."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet that came."""

    when: float
    """Unix time at which the kernel took it."""
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @property
    def pcm(self) -> Pcm:
        """Its samples at 8 kHz."""
        return PCMU.decode(np.frombuffer(self.payload, np.uint8))

    @property
    def audible(self) -> bool:
        """Whether it is anything but silence."""
        return bool(np.abs(self.pcm.astype(np.int32)).max() > _AUDIBLE)


def tone(seconds: float, hz: float, rate_hz: int = RATE_HZ, amplitude: int = 9000) -> Pcm:
    """A sine."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * times)).astype(np.int16)


def level_at(pcm: Pcm, hz: float, rate_hz: int = RATE_HZ) -> float:
    """Amplitude of the component at `hz`, on the scale of 16-bit samples."""
    turns = np.exp(-2j * np.pi * hz * np.arange(len(pcm)) / rate_hz)
    return float(2 * np.abs(np.dot(pcm.astype(np.float64), turns)) / max(len(pcm), 1))
