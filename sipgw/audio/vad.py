"""When somebody starts and stops to speak: webrtcvad's word for each frame, made steady."""

from collections import deque

import webrtcvad

from sipgw.errors import UsageError

RATE_HZ = 8000
_FRAME_BYTES = {160, 320, 480}


class Vad:
    """Turns the verdict on single frames into starts and stops.

    Speech starts when `start` of the last `of` frames are voiced, and stops after `hangover` frames in a row without
    voice, so that a pause between words does not end it. webrtcvad calls a lone click voiced for up to five frames of
    20 ms, and so the start of noise on a line: the default of six takes neither for speech.

    Args:
        mode: 0 takes much for speech, 3 little.
        start: voiced frames it takes to start.
        of: among how many.
        hangover: frames without voice it takes to stop.
    """

    __slots__ = ("_hangover", "_quiet", "_recent", "_start", "_vad", "speaking")

    def __init__(self, mode: int = 2, start: int = 6, of: int = 8, hangover: int = 25) -> None:
        if not 0 < start <= of or hangover < 1:
            raise UsageError(f"no such VAD: {start} of {of} frames, {hangover} to stop")
        self._vad = webrtcvad.Vad(mode)
        self._start = start
        self._hangover = hangover
        self._recent: deque[bool] = deque(maxlen=of)
        self._quiet = 0
        self.speaking = False

    def feed(self, frame: bytes | memoryview) -> bool | None:
        """Take a frame of 10, 20 or 30 ms of 8 kHz PCM16; True at a start of speech, False at its end, else None.

        Raises:
            UsageError: the frame has another length.
        """
        if len(frame) not in _FRAME_BYTES:
            raise UsageError(f"no frame of 10, 20 or 30 ms at 8 kHz: {len(frame)} bytes")
        voiced = self._vad.is_speech(bytes(frame), RATE_HZ)
        self._recent.append(voiced)
        self._quiet = 0 if voiced else self._quiet + 1
        if not self.speaking and sum(self._recent) >= self._start:
            self.speaking = True
            return True
        if self.speaking and self._quiet >= self._hangover:
            self.reset()
            return False
        return None

    def reset(self) -> None:
        """Forget what was heard, as after a hold."""
        self.speaking = False
        self._recent.clear()
        self._quiet = 0
