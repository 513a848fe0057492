"""Hears the caller start and stop to speak, and not the echo of our own playout.

A line echoes what we send, 10 to 60 dB down and up to half a second late. While we play, and until that echo has died
away, a frame counts as speech only where it is louder than our own recent level less the least loss an echo has.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sipgw.audio.level import rms
from sipgw.audio.vad import RATE_HZ, Vad
from sipgw_codecs.registry import Sound

Pcm = NDArray[np.int16]

_FRAME_MS = 20
_ECHO_LOSS = 0.25
"""An echo is at least 12 dB down: a hybrid without any canceller still has about that."""
_ECHO_FRAMES = 25
"""How long our own level is remembered: half a second of frames."""


class Hearing:
    """The VAD of one session.

    Args:
        sound: what its leg carries.
    """

    __slots__ = ("_frame", "_levels", "_rest", "_silence", "_sound", "_thin", "_vad")

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._vad = Vad()
        self._levels: deque[float] = deque(maxlen=_ECHO_FRAMES)
        self._rest = b""
        self._frame = sound.sample_rate_hz * _FRAME_MS // 1000 * sound.sample_bytes
        self._thin = sound.sample_rate_hz // RATE_HZ
        self._silence = bytes(2 * RATE_HZ * _FRAME_MS // 1000)

    def heard(self, audio: bytes) -> list[bool]:
        """Take what the caller said: True for each start of speech, False for each end."""
        changes, audio, size = [], self._rest + audio, self._frame
        for at in range(0, len(audio) - size + 1, size):
            change = self._vad.feed(self._gated(audio[at : at + size]))
            if change is not None:
                changes.append(change)
        self._rest = audio[len(audio) - len(audio) % size :]
        return changes

    def played(self, audio: bytes) -> None:
        """Take what we send, 20 ms of it; empty for silence."""
        self._levels.append(rms(self._sound.pcm(audio)) if audio else 0.0)

    def _gated(self, frame: bytes) -> bytes:
        pcm = self._sound.pcm(frame)
        echo = max(self._levels, default=0.0) * _ECHO_LOSS
        if echo and rms(pcm) < echo:
            return self._silence
        return self._narrow(pcm).tobytes()

    def _narrow(self, pcm: Pcm) -> Pcm:
        """At the detector's rate: the mean of the samples that each one stands for is filter enough for it."""
        if self._thin == 1:
            return pcm
        means: Pcm = pcm.reshape(-1, self._thin).mean(axis=1).astype(np.int16)
        return means
