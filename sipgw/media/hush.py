"""Watches whether anybody speaks: that neither side has for too long is told, and again after as long.

A G.711 byte says how loud its sample is without being decoded, and speech lasts, so that one packet in a tenth of a
second is looked at. A line's noise is no speech; a key that is pressed counts as such.
"""

from functools import cache

import numpy as np

from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import Sound

_LOUD = 512
"""A sample beyond this is loud: 36 dB below full scale."""
_SHARE = 10
"""One sample in so many has to be."""
_LOOK_EVERY = 0.1
"""Seconds."""


class Hush:
    """The silence of one session.

    Args:
        sound: what the leg carries.
        seconds: how long neither may speak.
        now: it counts from here.
    """

    __slots__ = ("_caller", "_look_at_ai", "_look_at_caller", "_quiet", "_seconds", "_since")

    def __init__(self, sound: Sound, seconds: float, now: float) -> None:
        self._quiet = _quiet(sound)
        self._seconds = seconds
        self._look_at_caller = self._look_at_ai = 0.0
        self._caller = self._since = now
        """When the caller spoke last; when anybody did, or silence was told of."""

    def heard(self, audio: bytes, now: float) -> None:
        """A packet of the caller's."""
        if now >= self._look_at_caller:
            self._look_at_caller = now + _LOOK_EVERY
            if self._is_loud(audio):
                self.spoke(now)

    def said(self, audio: bytes, now: float) -> None:
        """A packet of ours, where it holds speech."""
        if now >= self._look_at_ai:
            self._look_at_ai = now + _LOOK_EVERY
            if self._is_loud(audio):
                self._since = now

    def spoke(self, now: float) -> None:
        """The caller did."""
        self._caller = self._since = now

    def change(self, sound: Sound) -> None:
        """The leg carries another sound from now on."""
        self._quiet = _quiet(sound)

    def next_timer(self) -> float:
        """When there has been silence for long enough, unless somebody speaks before that."""
        return self._since + self._seconds

    def handle_timers(self, now: float) -> tuple[float, float] | None:
        """How long neither side, and how long the caller, has not spoken, where that is to be told."""
        if now < self.next_timer():
            return None
        silent, self._since = now - self._since, now
        return silent, now - self._caller

    def _is_loud(self, audio: bytes) -> bool:
        if self._quiet is None:
            samples = np.frombuffer(audio, np.int16).astype(np.int32)
            return int(np.count_nonzero(np.abs(samples) >= _LOUD)) * _SHARE >= len(samples) > 0
        return len(audio.translate(None, self._quiet)) * _SHARE >= len(audio) > 0


def _quiet(sound: Sound) -> bytes | None:
    return quiet(sound) if isinstance(sound, G711) else None


@cache
def quiet(law: G711) -> bytes:
    """The bytes that stand for samples that are not loud."""
    every = np.arange(256, dtype=np.uint8)
    samples = law.decode(every).astype(np.int32)
    return every[np.abs(samples) < _LOUD].tobytes()
