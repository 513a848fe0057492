"""The head of a WAV file, so that a file can be written as it grows and be played at any moment."""

from enum import Enum
from struct import Struct

_HEAD = Struct("<4sI4s4sIHHIIHHH4sII4sI")
HEAD_BYTES = _HEAD.size
"""Every head has this length, so that one may be written over another."""
_LARGEST = 0xFFFFFFFF - HEAD_BYTES
_FMT_BYTES, _FACT_BYTES = 18, 4
_FASTEST_HZ = 192_000
_BYTES_PER_SECOND, _DATA_BYTES = 8, 16
"""Where they stand among the head's values."""


class Encoding(Enum):
    """How a sample is written; the value is its name in the configuration."""

    PCM16 = "pcm16"
    PCMU = "pcmu"
    """G.711 mu-law: half as large."""

    @property
    def sample_bytes(self) -> int:
        """Bytes a sample."""
        return 2 if self is Encoding.PCM16 else 1


_TAGS = {Encoding.PCM16: 1, Encoding.PCMU: 7}


def head(data_bytes: int, rate_hz: int, channels: int, encoding: Encoding) -> bytes:
    """What comes before the samples of a RIFF WAVE file that holds `data_bytes` of them."""
    size, frame = min(data_bytes, _LARGEST), encoding.sample_bytes * channels
    return _HEAD.pack(
        b"RIFF", size + HEAD_BYTES - 8, b"WAVE",
        b"fmt ", _FMT_BYTES, _TAGS[encoding], channels, rate_hz, rate_hz * frame, frame, encoding.sample_bytes * 8, 0,
        b"fact", _FACT_BYTES, size // frame,
        b"data", size,
    )  # fmt: skip


def seconds(head: bytes) -> float:
    """How long the file of a head of ours lasts."""
    values = _HEAD.unpack(head)
    return round(float(values[_DATA_BYTES] / values[_BYTES_PER_SECOND]), 3)


def mended(found: bytes, file_bytes: int) -> bytes | None:
    """The head of ours that was found in a file, as a file of this length needs it; None if it is no head of ours."""
    if len(found) < HEAD_BYTES or found[:4] != b"RIFF" or found[8:16] != b"WAVEfmt ":
        return None
    values = _HEAD.unpack_from(found)
    tag, channels, rate_hz, data = values[5], values[6], values[7], values[15]
    encoding = next((one for one in Encoding if _TAGS[one] == tag), None)
    if encoding is None or channels not in (1, 2) or rate_hz > _FASTEST_HZ or data != b"data":
        return None
    frame = encoding.sample_bytes * channels
    return head((file_bytes - HEAD_BYTES) // frame * frame, rate_hz, channels, encoding)
