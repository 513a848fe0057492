"""Hears the caller start and stop to speak, and not the echo of our own playout.

A line echoes what we send, 10 to 60 dB down and up to half a second late. While we play, and until that echo has died
away, a frame counts as speech only where it is louder than our own recent level less the least loss an echo has.
"""

from collections import deque

import numpy as np

from sipgw.audio.level import rms
from sipgw.audio.vad import Vad
from sipgw_codecs.registry import Codec

_FRAME = 160
_ECHO_LOSS = 0.25
"""An echo is at least 12 dB down: a hybrid without any canceller still has about that."""
_ECHO_FRAMES = 25
"""How long our own level is remembered: half a second of frames."""


class Hearing:
    """The VAD of one session."""

    __slots__ = ("_codec", "_levels", "_rest", "_silence", "_vad")

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._vad = Vad()
        self._levels: deque[float] = deque(maxlen=_ECHO_FRAMES)
        self._rest = b""
        self._silence = bytes(2 * _FRAME)

    def heard(self, payload: bytes) -> list[bool]:
        """Take what the caller said, as the codec has it: True for each start of speech, False for each end."""
        changes, payload = [], self._rest + payload
        for at in range(0, len(payload) - _FRAME + 1, _FRAME):
            change = self._vad.feed(self._gated(payload[at : at + _FRAME]))
            if change is not None:
                changes.append(change)
        self._rest = payload[len(payload) - len(payload) % _FRAME :]
        return changes

    def played(self, payload: bytes) -> None:
        """Take what we send, 20 ms of it, as the codec has it; empty for silence."""
        self._levels.append(rms(self._codec.decode(np.frombuffer(payload, np.uint8))) if payload else 0.0)

    def _gated(self, frame: bytes) -> bytes:
        pcm = self._codec.decode(np.frombuffer(frame, np.uint8))
        echo = max(self._levels, default=0.0) * _ECHO_LOSS
        return self._silence if echo and rms(pcm) < echo else pcm.tobytes()
