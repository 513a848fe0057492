"""G.722 at 64 kbit/s (ITU-T G.722), by the library of that name, which agrees with the ITU's vectors bit by bit.

It has 16,000 samples a second, and a clock of 8,000: an error in RFC 1890 that was kept (RFC 3551 section 4.5.2).
"""

from dataclasses import dataclass
from functools import cache

from G722 import G722 as Coder

from sipgw_codecs.framed import Shaping
from sipgw_codecs.linear import Linear

RATE_HZ = 16_000
_SOUND = Linear(RATE_HZ)
_BITRATE = 64_000
_REST, _CYCLE = 50, 10
"""Packets until an encoder is at rest, and those that are repeated then."""


class G722Decoder:
    """One stream that comes in. Any bytes are G.722."""

    def __init__(self) -> None:
        self._coder = Coder(RATE_HZ, _BITRATE)

    def decode(self, payload: bytes) -> bytes:
        """See `Decoder`."""
        return bytes(memoryview(self._coder.decode(payload)).cast("B"))

    def conceal(self, samples: int, following: bytes | None) -> None:
        """See `Decoder`: it has no way."""


class G722Encoder:
    """One stream that goes out."""

    def __init__(self) -> None:
        self._coder = Coder(RATE_HZ, _BITRATE)

    def encode(self, pcm: bytes) -> bytes:
        """See `Encoder`."""
        coded: bytes = self._coder.encode(memoryview(pcm).cast("h"))
        return coded

    def expect_loss(self, percent: int) -> None:
        """See `Encoder`: there is no protection."""

    def reset(self) -> None:
        """See `Encoder`."""
        self._coder = Coder(RATE_HZ, _BITRATE)


@dataclass(frozen=True)
class G722:
    """The codec."""

    name: str = "G722"
    payload_type: int = 9
    clock_hz: int = 8_000
    sound: Linear = _SOUND
    settling_ms: int = 100

    def available(self) -> str:
        """See `Framed`."""
        return ""

    def units(self, payload: bytes) -> int:
        """See `Framed`: a byte is two samples, and one unit."""
        return len(payload)

    def interval(self, ptime_ms: int) -> int:
        """See `Framed`."""
        return ptime_ms

    def decoder(self) -> G722Decoder:
        """See `Framed`."""
        return G722Decoder()

    def encoder(self, shaping: Shaping) -> G722Encoder:
        """See `Framed`."""
        return G722Encoder()

    def silence(self, ms: int, nth: int = 0) -> bytes:
        """See `Framed`."""
        packets = _silence(ms)
        return packets[nth % len(packets)]


@cache
def _silence(ms: int) -> tuple[bytes, ...]:
    """Silence as an encoder at rest has it. One payload alone, again and again, would add up to a constant."""
    encoder, quiet = G722Encoder(), bytes(2 * RATE_HZ * ms // 1000)
    packets = [encoder.encode(quiet) for _ in range(_REST + _CYCLE)]
    return tuple(packets[_REST:])


G722_64 = G722()
