"""RTP packets on the wire (RFC 3550 section 5.1), and telling them from RTCP on one port (RFC 5761 section 4)."""

from dataclasses import dataclass
from struct import Struct

from sipgw.errors import SipgwError

Data = bytes | bytearray | memoryview

HEADER_BYTES = 12
_FIXED = Struct("!BBHII")
fields = _FIXED.unpack_from
"""First and second byte, sequence, timestamp and SSRC of a datagram that is long enough for them."""
PLAIN = b"\x80"
"""How a packet without padding, extension and CSRC begins: nearly every packet of a phone."""
_VERSION_2 = 0x80
_PADDING = 0x20
_EXTENSION = 0x10
_CSRC_COUNT = 0x0F


class BadPacket(SipgwError):
    """A datagram that is no RTP or RTCP packet; `reason` names the drop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet, without its CSRC list and header extension, which nothing here needs."""

    payload_type: int
    marker: bool
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, in units of the payload's clock."""
    ssrc: int
    payload: bytes

    def __bytes__(self) -> bytes:
        return pack(self.payload_type, self.marker, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse(data: Data) -> Packet:
    """The packet in a datagram.

    Raises:
        BadPacket: it is none.
    """
    payload_type, marker, sequence, timestamp, ssrc, start, end = header(data)
    return Packet(payload_type, marker, sequence, timestamp, ssrc, bytes(data[start:end]))


def header(data: Data) -> tuple[int, bool, int, int, int, int, int]:
    """What the batch engine wants of a datagram, without making an object of it.

    Returns:
        Payload type, marker, sequence, timestamp, SSRC, and the bounds of the payload: `data[start:end]`.

    Raises:
        BadPacket: `too_short`, `bad_version`, `bad_csrc`, `bad_extension` or `bad_padding`.
    """
    if len(data) < HEADER_BYTES:
        raise BadPacket("too_short")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first == _VERSION_2:  # no padding, extension or CSRC: nearly every packet of a phone
        return second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, HEADER_BYTES, len(data)
    if first >> 6 != 2:
        raise BadPacket("bad_version")
    start, end = _payload_bounds(data, first)
    return second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, start, end


def _payload_bounds(data: Data, first: int) -> tuple[int, int]:
    """Where the payload lies behind CSRC list and extension and before the padding."""
    start, end = HEADER_BYTES + 4 * (first & _CSRC_COUNT), len(data)
    if start > end:
        raise BadPacket("bad_csrc")
    if first & _EXTENSION:
        if start + 4 > end:
            raise BadPacket("bad_extension")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if start > end:
            raise BadPacket("bad_extension")
    if first & _PADDING:
        padding = data[-1]
        if not 0 < padding <= end - start:
            raise BadPacket("bad_padding")
        end -= padding
    return start, end


def pack(payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """A plain header; sequence and timestamp may have run past their 16 and 32 bits."""
    return _FIXED.pack(
        _VERSION_2, payload_type | 0x80 if marker else payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
    )


def is_rtcp(data: Data) -> bool:
    """Whether a datagram on a port for both is RTCP: its second byte is a packet type from 192 to 223 (RFC 5761)."""
    return len(data) > 1 and 192 <= data[1] <= 223
