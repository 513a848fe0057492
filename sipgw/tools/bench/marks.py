"""Marks in the sound of a call: short tones in silence, found again by the first sample of each.

A tone begins with the first sample of a packet. Where it is found later, the sample's place in its packet or frame is
added to the arrival: so the delay is that of the sound, whatever boundaries it was cut at.
"""

import numpy as np
from numpy.typing import NDArray

from sipgw_codecs.g711 import PCMU

SILENCE = PCMU.silence(20)
"""A packet of it."""
PERIOD = 50
"""Packets from one mark to the next of the same call."""
_LENGTH = 3
_TONE_HZ, _AMPLITUDE = 1000, 12_000
_THRESHOLD = _AMPLITUDE // 4
_QUIET = 5
"""Silent packets, or frames, before a mark counts as one."""
_KEPT = 2
"""Frames: in the first there may be no more than a filter's ringing."""


def _tone() -> list[bytes]:
    time = np.arange(_LENGTH * 160) / 8000
    samples = (_AMPLITUDE * np.sin(2 * np.pi * _TONE_HZ * time)).astype(np.int16)
    return [PCMU.encode(part).tobytes() for part in samples.reshape(_LENGTH, 160)]


TONE = _tone()


def said(call: int, packet: int) -> bytes:
    """The payload of a call's packet; the marks of the calls are spread over the period."""
    place = (packet - 7 * call) % PERIOD
    return TONE[place] if place < _LENGTH else SILENCE


def begins_mark(call: int, packet: int) -> bool:
    """Whether a mark begins with this packet."""
    return (packet - 7 * call) % PERIOD == 0


Found = list[tuple[int, bytes]]
"""The first frames of a mark with sound in them: arrival in nanoseconds, and the frame."""


class Marks:
    """Takes the frames of one direction of one call, and keeps how each mark began."""

    __slots__ = ("_quiet", "_silence", "found")

    def __init__(self, silence: bytes) -> None:
        self._silence = silence
        self._quiet = 0
        self.found: list[Found] = []

    def take(self, frame: bytes, came_ns: int) -> None:
        """The next frame; a silent one costs a comparison."""
        if frame == self._silence:
            self._quiet += 1
            return
        if self._quiet >= _QUIET:
            self.found.append([])
        self._quiet = 0
        if self.found and len(self.found[-1]) < _KEPT:
            self.found[-1].append((came_ns, frame))


def onsets(found: list[Found], rate_hz: int) -> NDArray[np.int64]:
    """When each mark began, in nanoseconds.

    Args:
        found: as `Marks` kept them.
        rate_hz: of PCM16; 0 for mu-law.
    """
    begun = (_onset(frames, rate_hz) for frames in found)
    return np.array([one for one in begun if one is not None], np.int64)


def _onset(frames: Found, rate_hz: int) -> int | None:
    for came_ns, frame in frames:
        samples = np.frombuffer(frame, np.int16) if rate_hz else PCMU.decode(np.frombuffer(frame, np.uint8))
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _THRESHOLD)
        if len(loud):
            return came_ns + int(loud[0]) * 1_000_000_000 // (rate_hz or 8000)
    return None


def delays_ms(sent: NDArray[np.int64], heard: NDArray[np.int64]) -> tuple[NDArray[np.float64], int]:
    """The time from each mark sent to the first one heard after it, and how many were never heard.

    A mark that is late by a whole period counts as never heard.
    """
    if not len(heard):
        return np.empty(0), len(sent)
    at = np.searchsorted(heard, sent)
    followed = at < len(heard)
    found = heard[at[followed]] - sent[followed]
    in_time = found < PERIOD * 20_000_000 * 9 // 10
    return found[in_time] / 1e6, len(sent) - int(in_time.sum())
