"""Makes sound of the time line's pieces: audio as it came, silence where nothing was said, and what hides losses.

Of G.711 everything stays in the codec's own bytes, so that repaired and plain audio are decoded in one batch with that
of other calls. A codec with state is decoded here, packet by packet, in the order of the line.
"""

from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sipgw.audio.conceal import Concealer
from sipgw.rtp.timeline import Conceal, Fill, Overlap, Piece
from sipgw_codecs.framed import BadPayload, Framed
from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import Codec

Pcm = NDArray[np.int16]

_REMEMBERED = 6


class Repair(Protocol):
    """One stream's pieces to sound."""

    concealed: int
    """Made up, in timestamp units."""
    filled: int
    """Silence, likewise."""
    bad: int
    """Payloads that were none of the codec; they count as lost."""

    def join(self, pieces: list[Piece]) -> bytes:
        """The pieces as one piece of sound."""


def repair(codec: Codec) -> Repair:
    """For a new stream."""
    return Tabled(codec) if isinstance(codec, G711) else Decoded(codec)


class Tabled:
    """G.711. Only a loss costs more than a look at the type."""

    __slots__ = ("_codec", "_concealer", "_recent", "bad", "concealed", "filled")

    def __init__(self, codec: G711) -> None:
        self._codec = codec
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._concealer: Concealer | None = None
        self.concealed = self.filled = self.bad = 0

    def join(self, pieces: list[Piece]) -> bytes:
        """See `Repair`."""
        first = pieces[0]
        if len(pieces) == 1 and self._concealer is None and type(first) is bytes:
            self._recent.append(first)
            return first
        parts = [self._part(piece) for piece in pieces]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, piece: Piece) -> bytes:
        match piece:
            case Conceal(units=units):
                return self._conceal(units)
            case Fill(units=units):
                self.filled += units
                self._concealer = None
                self._recent.clear()
                return bytes([self._codec.silence_byte]) * units
            case Overlap(payload=payload, units=units):
                return self._audio(payload[units:]) if units < len(payload) else b""
            case _:
                return self._audio(piece)

    def _audio(self, payload: bytes) -> bytes:
        if self._concealer is not None:
            payload = self._encode(self._concealer.good(self._decode(payload)))
            self._concealer = None
        self._recent.append(payload)
        return payload

    def _conceal(self, units: int) -> bytes:
        self.concealed += units
        if self._concealer is None:
            self._concealer = Concealer(self._codec.sample_rate_hz)
            for payload in self._recent:
                self._concealer.good(self._decode(payload))
        return self._encode(self._concealer.lost(units))

    def _decode(self, payload: bytes) -> Pcm:
        return self._codec.decode(np.frombuffer(payload, np.uint8))

    def _encode(self, pcm: Pcm) -> bytes:
        return self._codec.encode(pcm).tobytes()


class Decoded:
    """A codec with state, to linear PCM. What it has no way to hide is hidden as in G.711."""

    __slots__ = ("_codec", "_concealer", "_decoder", "bad", "concealed", "filled")

    def __init__(self, codec: Framed) -> None:
        self._codec, self._decoder = codec, codec.decoder()
        self._concealer = Concealer(codec.sound.sample_rate_hz)
        self.concealed = self.filled = self.bad = 0

    def join(self, pieces: list[Piece]) -> bytes:
        """See `Repair`."""
        following = [*pieces[1:], None]
        parts = [self._part(piece, then) for piece, then in zip(pieces, following, strict=True)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, piece: Piece, then: Piece | None) -> bytes:
        match piece:
            case Conceal(units=units):
                self.concealed += units
                return self._conceal(self._samples(units), then if isinstance(then, bytes) else None)
            case Fill(units=units):
                self.filled += units
                self._concealer = Concealer(self._codec.sound.sample_rate_hz)
                return bytes(2 * self._samples(units))
            case Overlap(payload=payload, units=units):  # decoded in full: what follows builds on it
                return self._audio(payload)[2 * self._samples(units) :]
            case _:
                return self._audio(piece)

    def _audio(self, payload: bytes) -> bytes:
        try:
            pcm = self._decoder.decode(payload)
        except BadPayload:
            self.bad += 1
            units = self._codec.units(payload)
            self.concealed += units
            return self._conceal(self._samples(units), None)
        return self._concealer.good(np.frombuffer(pcm, np.int16)).tobytes()

    def _conceal(self, samples: int, following: bytes | None) -> bytes:
        made = self._decoder.conceal(samples, following)
        return self._concealer.lost(samples).tobytes() if made is None else made

    def _samples(self, units: int) -> int:
        return units * self._codec.sound.sample_rate_hz // self._codec.clock_hz
