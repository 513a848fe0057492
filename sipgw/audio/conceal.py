"""Hides lost frames by repeating the last pitch period, ever more softly (the idea of ITU-T G.711 Appendix I).

Unlike the appendix it delays nothing: instead of overlapping the end of what was already played, it bends the
beginning of the replacement towards it.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
_Wave = NDArray[np.float64]

_SHORTEST_PITCH_MS, _LONGEST_PITCH_MS = 5, 15
"""Pitches from 200 down to 66 Hz; a higher voice repeats two or three periods at a time."""
_COMPARED_MS = 20
_FULL_MS, _SILENT_MS = 10, 60
"""The replacement is as loud as the speech for the first 10 ms and has faded by 60 ms: longer, it sounds robotic."""
_BLEND_MS = 5
_KEPT_FRAMES = 6


class Concealer:
    """The state of one stream. Frames go through `good` in order; `lost` makes up those that did not come.

    A good frame is kept until six more came, not copied: the caller must not write to it.
    """

    __slots__ = ("_frames", "_made", "_period", "_rate_hz")

    def __init__(self, rate_hz: int = 8000) -> None:
        self._rate_hz = rate_hz
        self._frames: deque[Pcm] = deque(maxlen=_KEPT_FRAMES)
        self._period: _Wave = np.zeros(1)
        self._made = 0

    def good(self, frame: Pcm) -> Pcm:
        """A frame that came; after a loss its first 5 ms are blended with what would have gone on."""
        if self._made:
            blend = min(len(frame), self._samples(_BLEND_MS))
            weights = np.linspace(0, 1, blend + 2)[1:-1]
            going_on = self._next(blend)
            frame = frame.copy()
            frame[:blend] = np.rint(frame[:blend] * weights + going_on * (1 - weights)).astype(np.int16)
            self._made = 0
        self._frames.append(frame)
        return frame

    def lost(self, samples: int) -> Pcm:
        """A replacement for so many samples that did not come."""
        first = not self._made
        history: _Wave = np.concatenate([*self._frames, np.zeros(0, np.int16)]).astype(np.float64)
        if first:
            self._period = self._loop(history)
        wave = self._next(samples)
        if first and len(history) > len(self._period):
            self._bend(wave, history)
        made: Pcm = np.clip(np.rint(wave), -32_768, 32_767).astype(np.int16)
        self._frames.append(made)
        return made

    def _samples(self, ms: int) -> int:
        return self._rate_hz * ms // 1000

    def _next(self, samples: int) -> _Wave:
        """The loop from where it stands, at the loudness for the time since the loss began."""
        at = np.arange(self._made, self._made + samples)
        self._made += samples
        gone_ms = at * 1000 / self._rate_hz
        gain = np.clip((_SILENT_MS - gone_ms) / (_SILENT_MS - _FULL_MS), 0, 1)
        wave: _Wave = self._period[at % len(self._period)] * gain
        return wave

    def _bend(self, wave: _Wave, history: _Wave) -> None:
        """Take the step between the last sample played and the loop's beginning out of the first quarter period."""
        step = history[-1] - history[-len(self._period) - 1]
        quarter = min(len(self._period) // 4, len(wave))
        wave[:quarter] += step * np.linspace(1, 0, quarter)

    def _loop(self, history: _Wave) -> _Wave:
        """The last pitch period, its end bent so that its own beginning follows on it."""
        pitch = self._pitch(history)
        if not pitch:
            return np.zeros(1)
        period = history[-pitch:].copy()
        quarter = pitch // 4
        weights = np.linspace(0, 1, quarter)
        before = history[-pitch - quarter : -pitch]
        period[-quarter:] = period[-quarter:] * (1 - weights) + before * weights
        return period

    def _pitch(self, history: _Wave) -> int:
        """The lag at which the last 20 ms are most like what came before them; 0 with too little history."""
        compared = self._samples(_COMPARED_MS)
        shortest, longest = self._samples(_SHORTEST_PITCH_MS), self._samples(_LONGEST_PITCH_MS)
        if len(history) < compared + longest:
            return 0
        recent = history[-compared:]
        earlier = np.lib.stride_tricks.sliding_window_view(history[-compared - longest : -shortest], compared)
        likeness = earlier @ recent / np.sqrt(np.einsum("ij,ij->i", earlier, earlier) + 1)
        return longest - int(np.argmax(likeness))
