"""Captured calls made by hand: what a phone and its far end sent each other, as datagrams and as a file."""

import struct
from ipaddress import ip_address
from pathlib import Path

from sipgw.rtp.packet import Packet
from sipgw.tools.capture.ip import Datagram
from sipgw.tools.capture.model import SipMessage

PHONE, CALLEE = ("192.0.2.7", 5060), ("192.0.2.9", 5060)
PHONE_RTP, CALLEE_RTP = ("192.0.2.7", 40_000), ("192.0.2.9", 30_000)
BEGAN = 1_700_000_000.0
SILENCE = b"\xff" * 160


def sdp(end: tuple[str, int] = PHONE_RTP, formats: str = "0 101", rtpmap: str = "101 telephone-event/8000") -> bytes:
    """An offer or answer."""
    lines = (
        *("v=0", f"o=x 1 1 IN IP4 {end[0]}", "s=-", f"c=IN IP4 {end[0]}", "t=0 0"),
        *(f"m=audio {end[1]} RTP/AVP {formats}", f"a=rtpmap:{rtpmap}", "a=sendrecv"),
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def message(
    start: str,
    *,
    cseq: str,
    tag: str = "",
    body: bytes = b"",
    branch: str = "z9hG4bK1",
    swapped: bool = False,
    call_id: str = "abc@phone",
    more: str = "",
) -> bytes:
    """One message of the dialog; `tag` is the callee's, `swapped` makes it the callee's request or its response."""
    ann, bob = "<sip:ann@192.0.2.7>;tag=a", f"<sip:echo@192.0.2.9>{f';tag={tag}' if tag else ''}"
    from_, to = (bob, ann) if swapped else (ann, bob)
    via = CALLEE if swapped else PHONE
    kind = "Content-Type: application/sdp\r\n" if body else ""
    head = (
        f"{start}\r\nVia: SIP/2.0/UDP {via[0]}:{via[1]};branch={branch}\r\nFrom: {from_}\r\nTo: {to}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq}\r\nContact: <sip:{via[0]}:{via[1]}>\r\nMax-Forwards: 70\r\n{more}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Capture:
    """Datagrams in the order in which they are added; times are seconds from the beginning."""

    def __init__(self) -> None:
        self.datagrams: list[Datagram] = []

    def sent(self, when: float, data: bytes, source: tuple[str, int] = PHONE) -> "Capture":
        """The phone sends."""
        target = CALLEE if source[1] == PHONE[1] else CALLEE_RTP
        self.datagrams.append(Datagram(BEGAN + when, source, target, data))
        return self

    def got(self, when: float, data: bytes) -> "Capture":
        """The phone gets."""
        self.datagrams.append(Datagram(BEGAN + when, CALLEE, PHONE, data))
        return self

    def talk(self, begin: float, count: int, kind: int = 0, payload: bytes = SILENCE) -> "Capture":
        """The phone speaks, 20 ms a packet."""
        for number in range(count):
            packet = Packet(kind, number == 0, 100 + number, 160 * number, 7, payload)
            self.sent(begin + number * 0.02, bytes(packet), PHONE_RTP)
        return self

    def messages(self) -> list[SipMessage]:
        """The SIP in it."""
        return [
            SipMessage(one.when, one.source, one.destination, "udp", one.payload)
            for one in self.datagrams
            if b"SIP/2.0" in one.payload
        ]

    def write(self, path: Path) -> Path:
        """As a pcap of raw IP."""
        frames = [_frame(one) for one in sorted(self.datagrams, key=lambda one: one.when)]
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101) + b"".join(frames))
        return path


def call(*, ringing: float = 1.0, seconds: float = 2.0, payload: bytes = SILENCE, kind: int = 0) -> Capture:
    """A call that is answered after a while, in which the phone speaks and hangs up."""
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    answer = message("SIP/2.0 200 OK", cseq="1 INVITE", tag="b", body=sdp(CALLEE_RTP))
    made.got(ringing, answer)
    made.sent(ringing + 0.01, message("ACK sip:192.0.2.9 SIP/2.0", cseq="1 ACK", tag="b", branch="z9hG4bK2"))
    made.talk(ringing + 0.02, int(seconds / 0.02) - 2, kind, payload)
    end = ringing + seconds
    made.sent(end, message("BYE sip:192.0.2.9 SIP/2.0", cseq="2 BYE", tag="b", branch="z9hG4bK3"))
    return made.got(end, message("SIP/2.0 200 OK", cseq="2 BYE", tag="b", branch="z9hG4bK3"))


def _frame(one: Datagram) -> bytes:
    udp = struct.pack("!HHHH", one.source[1], one.destination[1], 8 + len(one.payload), 0) + one.payload
    ends = ip_address(one.source[0]).packed + ip_address(one.destination[0]).packed
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ends + udp
    seconds, rest = divmod(round(one.when * 1e6), 1_000_000)
    return struct.pack("<IIII", seconds, rest, len(packet), len(packet)) + packet
