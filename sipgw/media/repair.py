"""Makes one payload of the time line's pieces: audio as it came, silence where nothing was said, and what hides losses.

Everything stays in the codec's own bytes, so that repaired and plain audio are decoded in the same batch.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sipgw.audio.conceal import Concealer
from sipgw.rtp.timeline import Fill, Piece
from sipgw_codecs.registry import Codec

Pcm = NDArray[np.int16]

_REMEMBERED = 6


class Repair:
    """One stream's pieces to payload bytes. Only a loss costs more than a look at the type."""

    __slots__ = ("_codec", "_concealer", "_recent", "concealed", "filled")

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._concealer: Concealer | None = None
        self.concealed = self.filled = 0
        """Samples made up, and samples of silence."""

    def join(self, pieces: list[Piece]) -> bytes:
        """The pieces as one payload."""
        first = pieces[0]
        if len(pieces) == 1 and self._concealer is None and type(first) is bytes:
            self._recent.append(first)
            return first
        parts = [self._audio(piece) if isinstance(piece, bytes) else self._made(piece) for piece in pieces]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _audio(self, payload: bytes) -> bytes:
        if self._concealer is not None:
            payload = self._encode(self._concealer.good(self._decode(payload)))
            self._concealer = None
        self._recent.append(payload)
        return payload

    def _made(self, piece: Piece) -> bytes:
        assert not isinstance(piece, bytes)
        if isinstance(piece, Fill):
            self.filled += piece.samples
            self._concealer = None
            self._recent.clear()
            return bytes([self._codec.silence_byte]) * piece.samples
        self.concealed += piece.samples
        if self._concealer is None:
            self._concealer = Concealer(self._codec.sample_rate_hz)
            for payload in self._recent:
                self._concealer.good(self._decode(payload))
        return self._encode(self._concealer.lost(piece.samples))

    def _decode(self, payload: bytes) -> Pcm:
        return self._codec.decode(np.frombuffer(payload, np.uint8))

    def _encode(self, pcm: Pcm) -> bytes:
        return self._codec.encode(pcm).tobytes()
