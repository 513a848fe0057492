"""G.711 mu-law and A-law (ITU-T G.711) by table, for any number of frames at once.

Both laws work on magnitudes, with the ones' complement for negative samples, as G.711's decision values are symmetric
about zero. Taking the two's complement instead is a common slip: it puts a good part of the negative samples one
code too far out.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Pcm = NDArray[np.int16]

_EVERY_CODE = np.arange(256, dtype=np.int32)
_EVERY_SAMPLE = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
"""Every 16-bit sample, at the index its bits make when read as unsigned."""

_MU_BIAS = 33
_MU_LARGEST = 0x1FFF
_A_INVERTED_BITS = 0x55


@dataclass(frozen=True, eq=False)
class G711:
    """One law of G.711 as tables, which the batch engine may index itself.

    `DECODE[code]` and `DECODE_F32[code]` are samples on the scale of 16-bit PCM; `ENCODE_TABLE[bits]` is the code of
    the sample whose two's complement bits are `bits` (`pcm.view(np.uint16)`).
    """

    name: str
    """Encoding name in SDP (RFC 3551)."""
    payload_type: int
    """Static RTP payload type (RFC 3551 section 6)."""
    silence_byte: int
    """The code of a zero sample."""
    DECODE: Pcm
    ENCODE_TABLE: Bytes
    DECODE_F32: NDArray[np.float32] = field(init=False)
    clock_hz: int = 8000
    """RTP timestamp units a second."""
    sample_rate_hz: int = 8000
    sample_bytes: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "DECODE_F32", self.DECODE.astype(np.float32))
        for table in (self.DECODE, self.DECODE_F32, self.ENCODE_TABLE):
            table.setflags(write=False)

    @property
    def sound(self) -> Self:
        """What the engine works on: the codes themselves."""
        return self

    def decode(self, payloads: Bytes) -> Pcm:
        """Samples of the same shape as `payloads`."""
        return self.DECODE.take(payloads, mode="clip")  # no index is out of bounds, and indexing takes twice as long

    def decode_f32(self, payloads: Bytes) -> NDArray[np.float32]:
        """The same as floats."""
        return self.DECODE_F32.take(payloads, mode="clip")

    def view(self, data: bytes) -> Bytes:
        """Bytes as an array of what they hold."""
        return np.frombuffer(data, np.uint8)

    def pcm(self, data: bytes) -> Pcm:
        """Bytes as samples."""
        return self.decode(self.view(data))

    def pcm_f32(self, data: bytes) -> NDArray[np.float32]:
        """The same as floats."""
        return self.decode_f32(self.view(data))

    def encode(self, pcm: Pcm) -> Bytes:
        """Codes of the same shape as `pcm`."""
        return self.ENCODE_TABLE.take(pcm.view(np.uint16), mode="clip")

    def available(self) -> str:
        """Why it cannot be had on this machine: it always can."""
        return ""

    def units(self, payload: bytes) -> int:
        """How long a payload lasts, in timestamp units: a byte is one."""
        return len(payload)

    def interval(self, ptime_ms: int) -> int:
        """The packet interval to use where `ptime_ms` is wanted: any will do."""
        return ptime_ms

    def silence(self, ms: int) -> bytes:
        """A payload of `ms` milliseconds of silence."""
        return bytes([self.silence_byte]) * (self.clock_hz * ms // 1000)


def _magnitude(samples: NDArray[np.int32], dropped_bits: int) -> NDArray[np.int32]:
    return np.where(samples < 0, ~samples, samples) >> dropped_bits


def _floor_log2(values: NDArray[np.int32]) -> NDArray[np.int32]:
    exponents: NDArray[np.int32] = np.frexp(values.astype(np.float64))[1].astype(np.int32)
    return exponents - 1


def _mu_law_codes(samples: NDArray[np.int32]) -> Bytes:
    """G.711 table 2: 14 bits to eight segments of sixteen steps, all bits inverted on the line."""
    biased = np.minimum(_magnitude(samples, 2) + _MU_BIAS, _MU_LARGEST)
    segment = _floor_log2(biased) - 5
    code = segment << 4 | biased >> (segment + 1) & 0x0F
    return np.asarray(~code & 0x7F | np.where(samples < 0, 0, 0x80), np.uint8)


def _mu_law_samples(codes: NDArray[np.int32]) -> Pcm:
    segment, step = ~codes >> 4 & 7, ~codes & 0x0F
    magnitude = ((step << 1) + _MU_BIAS << segment) - _MU_BIAS << 2
    return np.asarray(np.where(codes & 0x80, magnitude, -magnitude), np.int16)


def _a_law_codes(samples: NDArray[np.int32]) -> Bytes:
    """G.711 table 1: 13 bits to seven segments, the lowest twice as long, every other bit inverted on the line."""
    magnitude = _magnitude(samples, 4)
    segment = np.maximum(_floor_log2(np.maximum(magnitude, 1)) - 3, 0)
    code = segment << 4 | magnitude >> np.maximum(segment - 1, 0) & 0x0F
    return np.asarray((code | np.where(samples < 0, 0, 0x80)) ^ _A_INVERTED_BITS, np.uint8)


def _a_law_samples(codes: NDArray[np.int32]) -> Pcm:
    plain = codes ^ _A_INVERTED_BITS
    segment, step = plain >> 4 & 7, plain & 0x0F
    magnitude = (step << 4) + np.where(segment > 0, 0x108, 8) << np.maximum(segment - 1, 0)
    return np.asarray(np.where(plain & 0x80, magnitude, -magnitude), np.int16)


PCMU = G711("PCMU", 0, 0xFF, DECODE=_mu_law_samples(_EVERY_CODE), ENCODE_TABLE=_mu_law_codes(_EVERY_SAMPLE))
"""G.711 mu-law."""
PCMA = G711("PCMA", 8, 0xD5, DECODE=_a_law_samples(_EVERY_CODE), ENCODE_TABLE=_a_law_codes(_EVERY_SAMPLE))
"""G.711 A-law."""

PCMU_TO_PCMA: Bytes = PCMA.encode(PCMU.DECODE)
"""A-law code of each mu-law code, by way of the decoded sample."""
PCMA_TO_PCMU: Bytes = PCMU.encode(PCMA.DECODE)
"""Mu-law code of each A-law code, by way of the decoded sample."""
