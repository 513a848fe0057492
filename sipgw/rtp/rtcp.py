"""RTCP reports: build, parse, when to send the next, and the round trip they measure (RFC 3550 section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

from sipgw.rtp.packet import BadPacket, Data

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203

_COMMON = Struct("!BBH")
_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IIIIII")
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""
_COMPENSATION = 1.21828
"""Undoes what timer reconsideration shortens on average: e - 3/2 (RFC 3550 section 6.3.1)."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What its sender received of one source (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of the packets expected since the last report, in 256ths."""
    lost: int
    """Since the start; below zero where packets came twice."""
    highest_sequence: int
    jitter: int
    """In timestamp units."""
    last_report: int = 0
    """Middle 32 bits of the NTP time in the source's last sender report, 0 without one."""
    delay: int = 0
    """Since that report came, in 65,536ths of a second."""

    def __bytes__(self) -> bytes:
        lost = self.fraction_lost << 24 | self.lost & 0xFFFFFF
        return _BLOCK.pack(self.ssrc, lost, self.highest_sequence, self.jitter, self.last_report, self.delay)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR: what its sender sent, and what it received (RFC 3550 section 6.4.1)."""

    ssrc: int
    ntp: int
    """When, as 64-bit NTP time."""
    timestamp: int
    """The same moment on its RTP clock."""
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = _SENDER.pack(self.ssrc, self.ntp, self.timestamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
        return _packet(SENDER_REPORT, len(self.blocks), body + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR: what one that does not send received (RFC 3550 section 6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = self.ssrc.to_bytes(4, "big") + b"".join(map(bytes, self.blocks))
        return _packet(RECEIVER_REPORT, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES with the one item that must be there, the canonical name (RFC 3550 section 6.5.1)."""

    ssrc: int
    cname: str

    def __bytes__(self) -> bytes:
        name = self.cname.encode()[:255]
        chunk = self.ssrc.to_bytes(4, "big") + bytes([1, len(name)]) + name
        return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE: the sources that leave (RFC 3550 section 6.6)."""

    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        return _packet(GOODBYE, len(self.ssrcs), b"".join(ssrc.to_bytes(4, "big") for ssrc in self.ssrcs))


Rtcp = SenderReport | ReceiverReport | SourceDescription | Goodbye


def compound(packets: Iterable[Rtcp]) -> bytes:
    """One datagram; a report has to come first and an SDES second (RFC 3550 section 6.1)."""
    return b"".join(map(bytes, packets))


def parse(data: Data) -> tuple[Rtcp, ...]:
    """The packets of a datagram, in order. Types not listed here (APP, feedback, XR) are passed over.

    Raises:
        BadPacket: `rtcp_too_short`, `rtcp_bad_version`, `rtcp_bad_length`.
    """
    found: list[Rtcp] = []
    view = memoryview(data)
    if len(view) < 4:
        raise BadPacket("rtcp_too_short")
    while len(view) >= 4:  # X-Lite leaves two stray bytes behind its SDES
        first, kind, words = _COMMON.unpack_from(view)
        size = 4 + 4 * words
        if first >> 6 != 2:
            raise BadPacket("rtcp_bad_version")
        if size > len(view):
            raise BadPacket("rtcp_bad_length")
        one = _one(kind, first & 0x1F, view[4:size])
        if one:
            found.append(one)
        view = view[size:]
    return tuple(found)


def ntp_time(unix_seconds: float) -> int:
    """64-bit NTP time of a moment of the Unix clock."""
    return int((unix_seconds + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def middle(ntp: int) -> int:
    """The 32 bits of an NTP time that report blocks quote: 16 of seconds, 16 of fraction."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip(block: ReportBlock, ntp: int) -> float | None:
    """Seconds to the far end and back, from a block that quotes a report of ours and came at `ntp`.

    None where it quotes none, or where the clocks would make it negative.
    """
    if not block.last_report:
        return None
    units = (middle(ntp) - block.last_report - block.delay) & 0xFFFFFFFF
    return units / 65_536 if units < 0x80000000 else None


def report_interval(randomness: float, first: bool = False, octets: float = 120, octets_a_second: float = 400) -> float:
    """Seconds to the next report of a session of two (RFC 3550 section 6.2 and appendix A.7).

    Args:
        randomness: from 0 to 1, drawn anew each time, so that calls do not report in step.
        first: halves the least interval, so that the first report comes soon.
        octets: average size of a compound packet with its UDP and IP headers.
        octets_a_second: what RTCP may use: 5 % of a 64 kbit/s session.
    """
    least = 2.5 if first else 5.0
    return max(least, 2 * octets / octets_a_second) * (randomness + 0.5) / _COMPENSATION


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _COMMON.pack(0x80 | count, kind, len(body) // 4) + body


def _one(kind: int, count: int, body: memoryview) -> Rtcp | None:
    match kind:
        case 200:
            return _sender_report(count, body)
        case 201:
            return ReceiverReport(_word(body, 0), _blocks(count, body[4:]))
        case 202:
            return _description(count, body)
        case 203:
            return Goodbye(tuple(_word(body, 4 * i) for i in range(count)))
        case _:
            return None


def _sender_report(count: int, body: memoryview) -> SenderReport:
    if len(body) < _SENDER.size:
        raise BadPacket("rtcp_bad_length")
    ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(count, body[_SENDER.size :]))


def _blocks(count: int, body: memoryview) -> tuple[ReportBlock, ...]:
    if len(body) < count * _BLOCK.size:
        raise BadPacket("rtcp_bad_length")
    return tuple(_block(*_BLOCK.unpack_from(body, i * _BLOCK.size)) for i in range(count))


def _block(ssrc: int, loss: int, highest: int, jitter: int, last_report: int, delay: int) -> ReportBlock:
    lost = loss & 0xFFFFFF
    signed = lost - (1 << 24) if lost & 0x800000 else lost
    return ReportBlock(ssrc, loss >> 24, signed, highest, jitter, last_report, delay)


def _description(count: int, body: memoryview) -> SourceDescription | None:
    """The canonical name in the first chunk; none is no fault, and further chunks are a mixer's."""
    if not count:
        return None
    ssrc, at = _word(body, 0), 4
    while at + 2 <= len(body) and body[at]:
        end = at + 2 + body[at + 1]
        if end > len(body):
            raise BadPacket("rtcp_bad_length")
        if body[at] == 1:
            return SourceDescription(ssrc, bytes(body[at + 2 : end]).decode("utf-8", "replace"))
        at = end
    return None


def _word(body: memoryview, at: int) -> int:
    if len(body) < at + 4:
        raise BadPacket("rtcp_bad_length")
    return int.from_bytes(body[at : at + 4], "big")
