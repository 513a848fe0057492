"""A far end for media tests: sends and takes RTP packets on a socket of its own, built from bytes by hand."""

import asyncio
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

HEADER = struct.Struct("!BBHII")
SILENCE = b"\xff" * 160
"""20 ms of PCMU silence."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet that came."""

    when: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class RtpPhone(asyncio.DatagramProtocol):
    """Made by `open`; `talk` speaks, `heard` is what came."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.news = asyncio.Event()
        self.sequence = random.randrange(1 << 16)
        self.timestamp = random.randrange(1 << 32)
        self.ssrc = random.randrange(1 << 32)
        self.transport: asyncio.DatagramTransport | None = None
        self.on_rtcp: Callable[[bytes], None] = lambda data: None

    @classmethod
    async def open(cls) -> "RtpPhone":
        """A phone on a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        phone.transport = transport
        return phone

    @property
    def address(self) -> tuple[str, int]:
        """Where it takes packets."""
        assert self.transport is not None
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep a packet."""
        if 192 <= data[1] < 224:  # RTCP beside RTP (RFC 5761 section 4)
            self.on_rtcp(data)
            return
        first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        assert first == 0x80
        now = asyncio.get_running_loop().time()
        marker, kind = bool(second & 0x80), second & 0x7F
        self.heard.append(Heard(now, kind, marker, sequence, timestamp, ssrc, data[HEADER.size :]))
        self.news.set()

    def send(self, to: tuple[str, int], payload: bytes, payload_type: int = 0, marker: bool = False) -> None:
        """One packet of 20 ms."""
        assert self.transport is not None
        second = payload_type | (0x80 if marker else 0)
        packet = HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc) + payload
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + 160) & 0xFFFFFFFF
        self.transport.sendto(packet, to)

    async def talk(self, to: tuple[str, int], payload: bytes) -> None:
        """Speak `payload` (8000 bytes a second) at real-time pace."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, start in enumerate(range(0, len(payload), 160)):
            self.send(to, payload[start : start + 160].ljust(160, b"\xff"))
            await asyncio.sleep(max(0.0, began + (number + 1) * 0.02 - loop.time()))

    async def until(self, count: int, within: float = 5.0) -> list[Heard]:
        """The first `count` packets, waited for."""
        async with asyncio.timeout(within):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard[:count]

    def close(self) -> None:
        """Close the socket."""
        if self.transport is not None:
            self.transport.close()
