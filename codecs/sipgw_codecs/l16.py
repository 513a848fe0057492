"""Linear PCM on the line: 16 bits in network byte order (RFC 3551 section 4.5.11), mono at 16 kHz."""

from dataclasses import dataclass

import numpy as np

from sipgw_codecs.framed import BadPayload, Shaping
from sipgw_codecs.linear import Linear

RATE_HZ = 16_000
_SOUND = Linear(RATE_HZ)
_LONGEST_MS = 40
"""A packet of more would not pass an Ethernet in one piece."""


class L16Coder:
    """Either way of one stream; there is no state."""

    def decode(self, payload: bytes) -> bytes:
        """See `Decoder`."""
        if len(payload) % 2:
            raise BadPayload(f"L16: {len(payload)} octets are no whole samples")
        return np.frombuffer(payload, ">i2").astype(np.int16).tobytes()

    def conceal(self, samples: int, following: bytes | None) -> None:
        """See `Decoder`: it has no way."""

    def encode(self, pcm: bytes) -> bytes:
        """See `Encoder`."""
        return np.frombuffer(pcm, np.int16).astype(">i2").tobytes()

    def expect_loss(self, percent: int) -> None:
        """See `Encoder`: there is no protection."""

    def reset(self) -> None:
        """See `Encoder`: nothing is kept."""


@dataclass(frozen=True)
class L16:
    """The codec."""

    name: str = "L16"
    payload_type: None = None
    clock_hz: int = RATE_HZ
    sound: Linear = _SOUND
    settling_ms: int = 0

    def available(self) -> str:
        """See `Framed`."""
        return ""

    def units(self, payload: bytes) -> int:
        """See `Framed`."""
        return len(payload) // 2

    def interval(self, ptime_ms: int) -> int:
        """See `Framed`."""
        return min(ptime_ms, _LONGEST_MS)

    def decoder(self) -> L16Coder:
        """See `Framed`."""
        return L16Coder()

    def encoder(self, shaping: Shaping) -> L16Coder:
        """See `Framed`."""
        return L16Coder()

    def silence(self, ms: int, nth: int = 0) -> bytes:
        """See `Framed`."""
        return bytes(2 * RATE_HZ * ms // 1000)


L16_16K = L16()
