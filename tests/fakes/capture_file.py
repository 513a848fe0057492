"""Makes captures packet by packet: what a network would have shown, with whatever is wrong with it."""

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from sipgw.flow import Endpoint

WHEN = 1_770_000_000.0
CALLER: Endpoint = ("192.0.2.1", 5060)
CALLEE: Endpoint = ("192.0.2.2", 5060)
CALLER_RTP: Endpoint = ("192.0.2.1", 20_000)
CALLEE_RTP: Endpoint = ("192.0.2.2", 30_000)
SPEECH = b"\x10\x90" * 80
"""20 ms of a loud sound in mu-law."""
_OTHER = {"caller": "callee", "callee": "caller"}


def ipv4(source: str, destination: str, protocol: int, payload: bytes, fragment: int = 0) -> bytes:
    """An IPv4 packet; `fragment` is the field with the flags and the offset."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0)
    return head + ip_address(source).packed + ip_address(destination).packed + payload


def udp(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    """A UDP datagram with its header."""
    return struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload


def tcp(source: Endpoint, destination: Endpoint, sequence: int, payload: bytes, flags: int) -> bytes:
    """A TCP segment with its header."""
    return struct.pack("!HHIIBBHHH", source[1], destination[1], sequence % 2**32, 0, 0x50, flags, 0, 0, 0) + payload


def rtp(sequence: int, timestamp: int, ssrc: int, payload: bytes, payload_type: int = 0, marker: bool = False) -> bytes:
    """An RTP packet."""
    second = payload_type | 0x80 if marker else payload_type
    return struct.pack("!BBHII", 0x80, second, sequence % 2**16, timestamp % 2**32, ssrc) + payload


@dataclass(slots=True)
class CaptureFile:
    """A capture in the making, of raw IP; times are in seconds from its beginning."""

    packets: list[tuple[float, bytes]] = field(default_factory=list)

    def ip(self, when: float, packet: bytes) -> None:
        """An IP packet."""
        self.packets.append((when, packet))

    def udp(self, when: float, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        """A datagram."""
        self.ip(when, ipv4(source[0], destination[0], 17, udp(source, destination, payload)))

    def tcp(
        self, when: float, source: Endpoint, destination: Endpoint, sequence: int, payload: bytes, flags: int = 0x18
    ) -> None:
        """A segment."""
        self.ip(when, ipv4(source[0], destination[0], 6, tcp(source, destination, sequence, payload, flags)))

    def icmp(self, when: float, source: Endpoint, destination: Endpoint) -> None:
        """The port `destination` is unreachable, says its host to `source`."""
        about = ipv4(source[0], destination[0], 17, udp(source, destination, b""))
        self.ip(when, ipv4(destination[0], source[0], 1, b"\x03\x03" + bytes(6) + about))

    def speech(
        self,
        began: float,
        ended: float,
        source: Endpoint,
        destination: Endpoint,
        *,
        ssrc: int = 1,
        payload_type: int = 0,
        payload: bytes = SPEECH,
        drift: float = 0.0,
        first: int = 0,
    ) -> None:
        """A packet every 20 ms, numbered from `first`; the sender's clock is fast by `drift`."""
        for index in range(round((ended - began) * 50)):
            packet = rtp(first + index, (first + index) * 160, ssrc, payload, payload_type)
            self.udp(began + index * 0.02 * (1 - drift), source, destination, packet)

    def write(self, path: Path) -> Path:
        """As a pcap file, in order of time."""
        file = bytearray(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 101))
        for when, packet in sorted(self.packets, key=lambda pair: pair[0]):
            ticks = round((WHEN + when) * 1e9)
            file += struct.pack("<IIII", ticks // 10**9, ticks % 10**9, len(packet), len(packet)) + packet
        path.write_bytes(file)
        return path


def sdp(endpoint: Endpoint, formats: str = "0 8 101", way: str = "sendrecv", protocol: str = "RTP/AVP") -> bytes:
    """A description with one line of audio; type 101 is telephone-event."""
    host, port = endpoint
    lines = (
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} {protocol} {formats}",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:96 opus/48000/2",
        f"a={way}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def sip(start: str, cseq: str, body: bytes = b"", asked: str = "caller", *, dialog: bool, **headers: str) -> bytes:
    """A message; `asked` is who sent the request, `dialog` whether the callee has given its tag."""
    caller, callee = "<sip:caller@test>;tag=a", f"<sip:callee@test>{';tag=b' if dialog else ''}"
    from_, to = (caller, callee) if asked == "caller" else (callee, caller)
    lines = [
        start,
        f"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{cseq.replace(' ', '')}",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {headers.get('call_id', 'call@test')}",
        f"CSeq: {cseq}",
        f"Content-Type: {headers.get('kind', 'application/sdp')}",
        f"Content-Length: {len(body)}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


@dataclass(slots=True)
class Dialog:
    """Writes the messages of one call into a capture, over UDP."""

    file: CaptureFile
    call_id: str = "call@test"
    caller: Endpoint = CALLER
    callee: Endpoint = CALLEE

    def request(
        self,
        when: float,
        method: str,
        cseq: int = 1,
        body: bytes = b"",
        by: str = "caller",
        kind: str = "application/sdp",
    ) -> None:
        """A request; INVITE 1 is outside the dialog."""
        start, number = f"{method} sip:{_OTHER[by]}@test SIP/2.0", f"{cseq} {method}"
        dialog = (method, cseq) not in (("INVITE", 1), ("CANCEL", 1))
        self._send(when, by, sip(start, number, body, by, dialog=dialog, call_id=self.call_id, kind=kind))

    def response(
        self, when: float, status: str, method: str = "INVITE", cseq: int = 1, body: bytes = b"", by: str = "callee"
    ) -> None:
        """A response."""
        start, number = f"SIP/2.0 {status}", f"{cseq} {method}"
        self._send(when, by, sip(start, number, body, _OTHER[by], dialog=True, call_id=self.call_id))

    def answered(self, caller_sdp: bytes = b"", callee_sdp: bytes = b"") -> None:
        """Invited at 0, ringing at 0.1, answered at 1.0 seconds."""
        self.request(0.0, "INVITE", body=caller_sdp or sdp(CALLER_RTP))
        self.response(0.01, "100 Trying")
        self.response(0.1, "180 Ringing")
        self.response(1.0, "200 OK", body=callee_sdp or sdp(CALLEE_RTP))
        self.request(1.05, "ACK")

    def ended(self, when: float, by: str = "caller") -> None:
        """Hung up and confirmed."""
        self.request(when, "BYE", 20, by=by)
        self.response(when + 0.01, "200 OK", "BYE", 20, by=_OTHER[by])

    def _send(self, when: float, by: str, message: bytes) -> None:
        ends = (self.caller, self.callee) if by == "caller" else (self.callee, self.caller)
        self.file.udp(when, *ends, message)
