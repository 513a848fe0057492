"""One recording as the recorder's threads see it: opened, written block by block, finished."""

from collections.abc import Callable

from sipgw.audio.wav import Encoding, head
from sipgw.errors import Unavailable
from sipgw.media import plane
from sipgw.media.stereo import Mixdown
from sipgw.media.tap import Tap
from sipgw.media.track import RATE_HZ
from sipgw.worker.sink import OpenSink, Sink
from sipgw_codecs.g711 import PCMU

BLOCK = 1.0
"""Seconds written at a time."""
_CHANNELS = 2

Event = plane.RecordingStarted | plane.Recorded | plane.RecordingFailed


class Recording:
    """From a tap to a sink. What goes wrong with the sink ends the recording; what was written so far is kept.

    Args:
        session: whose sound it is.
        name: of the recording, for the sink.
        tap: keeps the sound.
        encoding: how samples are written.
        open_sink: makes the sink.
    """

    def __init__(self, session: str, name: str, tap: Tap, encoding: Encoding, open_sink: OpenSink) -> None:
        self.session, self.tap = session, tap
        self.due = tap.began
        """When there is something to do."""
        self.failure = ""
        """Why it ended early."""
        self.written = False
        """Nothing is left but to finish."""
        self._name, self._encoding, self._open = name, encoding, open_sink
        self._mix = Mixdown(tap)
        self._sink: Sink | None = None
        self._size = 0

    def step(self, now: float, tell: Callable[[Event], None]) -> None:
        """Do what is due."""
        try:
            if self._sink is None:
                self._sink = self._open(self._name, self._head())
                tell(plane.RecordingStarted(self.session, self._sink.path))
            self._write(self._sink, now)
        except OSError as error:
            self.fail(error.strerror or str(error))
        except Unavailable as error:
            self.fail(str(error))

    def fail(self, failure: str) -> None:
        """It ends here."""
        self.failure, self.written = failure, True

    def finish(self) -> Event:
        """Make durable what was written; returns what has become of it."""
        if self._sink is None:
            return plane.RecordingFailed(self.session, self.failure)
        try:
            kept = self._sink.close()
        except OSError as error:
            return plane.RecordingFailed(self.session, error.strerror or str(error), self._sink.path)
        return plane.Recorded(
            self.session,
            kept.path,
            seconds=round(self._mix.seconds, 3),
            sha256=kept.sha256,
            paused=self.tap.pauses(),
            lost_ms=round(self.tap.lost * 1000),
            failure=self.failure,
        )

    def _write(self, sink: Sink, now: float) -> None:
        ended = self.tap.ended is not None
        sound = self._mix.block(now)
        block = (sound if self._encoding is Encoding.PCM16 else PCMU.encode(sound)).tobytes()
        self._size += len(block)
        sink.write(block, self._head())
        self.due, self.written = now + BLOCK, ended

    def _head(self) -> bytes:
        return head(self._size, RATE_HZ, _CHANNELS, self._encoding)
