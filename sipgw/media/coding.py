"""What one session sends of a codec with state: its encoder, and when that may rest."""

from sipgw_codecs.framed import Framed, Shaping


class Outgoing:
    """One session's encoder. While nothing is said it is not asked: the codec's own silence is sent instead.

    Args:
        codec: what is sent.
        ptime_ms: packet interval.
        shaping: how.
    """

    __slots__ = ("_codec", "_encoder", "_last", "_left", "_paused", "_ptime_ms", "_quiet")

    def __init__(self, codec: Framed, ptime_ms: int, shaping: Shaping) -> None:
        self._encoder = codec.encoder(shaping)
        self._codec, self._ptime_ms = codec, ptime_ms
        self._paused = 0
        """Packets of the codec's own silence in a row."""
        self._quiet = codec.sound.silence(ptime_ms)
        self._last = -(-codec.settling_ms // ptime_ms)
        self._left = 0
        """Frames of silence that are still to be encoded."""

    def speak(self, pcm: bytes) -> bytes:
        """The payload of a packet's PCM."""
        if not self._left:
            self._encoder.reset()
        self._left, self._paused = self._last + 1, 0
        return self._encoder.encode(pcm)

    def pause(self) -> bytes:
        """The payload of a packet in which nothing is said."""
        if self._left > 1:
            self._left -= 1
            return self._encoder.encode(self._quiet)
        self._left = 0
        self._paused += 1
        return self._codec.silence(self._ptime_ms, self._paused)

    def expect_loss(self, share: float) -> None:
        """The far end lost this share of our packets lately, 0 to 1."""
        self._encoder.expect_loss(round(share * 100))
