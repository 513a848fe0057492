"""What one session sends, between the lanes that make its packets: speech, prompts, keys."""

from sipgw.ai.events import AudioFormat
from sipgw.audio.playout import Playout
from sipgw.media import plane
from sipgw.media.agreed import Agreed
from sipgw.media.keys import Keys
from sipgw.media.wiring import Wiring
from sipgw.options import MediaOptions


class Sending(Agreed):
    """One session's.

    Args:
        session: its name.
        stream: what was agreed first.
        ssrc: ours.
        options: how to encode.
        wiring: where results go.
    """

    __slots__ = (
        "_wiring", "audio", "cover", "first_audio", "id", "keys", "marker", "octets", "playout", "tail", "talking",
    )  # fmt: skip

    def __init__(self, session: str, stream: plane.Stream, ssrc: int, options: MediaOptions, wiring: Wiring) -> None:
        super().__init__(stream, ssrc, options)
        self.id, self._wiring = session, wiring
        self.audio: AudioFormat | None = None
        """Format on the AI's side, None without a conversation."""
        self.playout: Playout | None = None
        self.cover: Playout | None = None
        """A prompt, heard instead (`media/cover.py`)."""
        self.keys: Keys | None = None
        """Keys the far end is yet to get."""
        self.talking = False
        """The last packet was speech."""
        self.marker = False
        """The next packet begins a talkspurt (RFC 3551 section 4.1)."""
        self.tail = False
        """The filter has yet to let go of the last frame."""
        self.octets = 0
        """Payload octets sent, as `Lane.octets` counts them while the session is in a lane."""
        self.first_audio: float | None = None
        """When the first speech left."""

    def press(self, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send keys, where the far end takes them now; `DigitsSent` says so, or that it does not.

        Raises:
            UsageError: one of them is no key.
        """
        if self.stream.dtmf_send_type is None or not self.stream.sending:
            self._pressed(len(digits), False)
            return
        keys = self.keys or Keys(self.interval_ms, self.codec.clock_hz, self._pressed)
        keys.add(digits, duration_ms, gap_ms)
        self.keys = keys

    def stop_keys(self) -> None:
        """Send no more of them."""
        if self.keys is not None:
            self.keys.stop()
            self.keys = None

    def _pressed(self, count: int, complete: bool) -> None:
        self._wiring.emit(plane.DigitsSent(self.id, count, complete))

    def begin_talking(self, now: float) -> bool:
        """The first packet of a talkspurt leaves; whether it is the first of all."""
        self.talking = self.marker = True
        if self.first_audio is not None or self.cover is not None:
            return False
        self.first_audio = now
        return True
