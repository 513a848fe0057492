"""Whole calls over other addresses than 127.0.0.1: IPv6, a wildcard, a second listener. SIP is written by hand."""

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import structlog

from sipgw.app.gateway import Gateway
from sipgw.settings import Settings
from sipgw.tools.phone import Order, call
from sipgw.tools.sound import from_pcm
from tests.io.test_addresses import needs_six
from tests.ports import free_port

LIMIT = 5.0
_numbers = itertools.count()
SPEECH = from_pcm(np.asarray(np.random.default_rng(3).normal(0, 3000, 4000), np.int16))
"""Half a second."""


@contextlib.asynccontextmanager
async def gateway(folder: Path, sip: dict[str, Any], media: dict[str, Any]) -> AsyncIterator[Gateway]:
    """One that echoes."""
    settings = Settings.model_validate(
        {
            "state": str(folder),
            "workers": 0,
            "sip": {"t1": 0.05, "t2": 0.2, **sip},
            "media": {"ports": "20720-20739", **media},
            "backends": {"echo": {"dialect": "echo"}},
            "routes": [{"targets": ["echo"], "anyone": True}],
        }
    )
    log = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[structlog.processors.JSONRenderer()])
    one = Gateway(settings, log)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


class Caller:
    """A phone that makes one call; `said` is all that came of SIP."""

    def __init__(self, host: str, rtp: str) -> None:
        self._host = f"[{host}]" if ":" in host else host
        self._kind = "IP6" if ":" in rtp else "IP4"
        self._rtp_host = rtp
        self.rtp = socket.socket(socket.AF_INET6 if ":" in rtp else socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((rtp, 0))
        self.rtp.setblocking(False)
        self.said = ""
        self._call_id = f"call-{next(_numbers)}"
        self._to = f"<sip:echo@{self._host}>"

    async def connect(self, transport: str, host: str, port: int) -> Self:
        """Connect the signalling socket to the gateway."""
        loop = asyncio.get_running_loop()
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self._sip = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        self._sip.setblocking(False)
        self._via = f"SIP/2.0/{transport.upper()}"
        await loop.sock_connect(self._sip, (host, port))
        return self

    async def send(self, method: str, body: str = "") -> None:
        here = f"{self._host}:{self._sip.getsockname()[1]}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} sip:echo@{self._host} SIP/2.0\r\nVia: {self._via} {here};rport;branch=z9hG4bK{method}\r\n"
            f"From: <sip:me@{self._host}>;tag=me\r\nTo: {self._to}\r\nCall-ID: {self._call_id}\r\n"
            f"CSeq: {2 if method == 'BYE' else 1} {method}\r\nContact: <sip:me@{here}>\r\nMax-Forwards: 70\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        await asyncio.get_running_loop().sock_sendall(self._sip, text.encode())

    async def gets(self, start: str) -> str:
        """A message that begins so, and what came after it."""
        async with asyncio.timeout(LIMIT):
            while start not in self.said:
                self.said += (await asyncio.get_running_loop().sock_recv(self._sip, 65_535)).decode()
        return self.said[self.said.index(start) :]

    async def calls(self) -> str:
        """From the INVITE to the ACK; the 200."""
        address = f"{self._kind} {self._rtp_host}"
        await self.send(
            "INVITE",
            f"v=0\r\no=- 1 1 IN {address}\r\ns=-\r\nc=IN {address}\r\nt=0 0\r\n"
            f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 0\r\n",
        )
        ok = await self.gets("SIP/2.0 200 OK")
        self._to = next(line for line in ok.split("\r\n") if line.startswith("To:")).removeprefix("To: ")
        await self.send("ACK")
        return ok

    async def hears(self) -> str:
        """Where the first packet comes from."""
        _, source = await asyncio.wait_for(asyncio.get_running_loop().sock_recvfrom(self.rtp, 2048), LIMIT)
        return str(source[0])

    async def hangs_up(self) -> None:
        await self.send("BYE")
        await self.gets("CSeq: 2 BYE")

    def speak(self, address: str, port: int) -> None:
        """One packet."""
        self.rtp.sendto(struct.pack("!BBHII", 0x80, 0, 1, 160, 7) + bytes(160), (address, port))

    def close(self) -> None:
        self.rtp.close()
        self._sip.close()


def header(message: str, name: str) -> str:
    return next(line for line in message.split("\r\n") if line.startswith(f"{name}: ")).partition(": ")[2]


def described(message: str) -> tuple[str, int]:
    """Address and port in its SDP."""
    lines = message.split("\r\n")
    address = next(line for line in lines if line.startswith("c=")).split()[-1]
    return address, int(next(line for line in lines if line.startswith("m=audio")).split()[1])


@needs_six
async def test_a_call_over_ipv6_is_heard_both_ways(tmp_path: Path) -> None:
    port = free_port()
    async with gateway(tmp_path, {"host": "::1", "port": port}, {}):
        report = await call(Order(f"sip:echo@[::1]:{port}", SPEECH, seconds=0.8))
    assert (report.status, report.ending, report.packets_lost) == (200, "the phone hung up", 0)
    assert report.packets_received > 30
    assert report.echo_delay is not None


@needs_six
@pytest.mark.parametrize("rtp", ["::1", "127.0.0.1"])
async def test_a_call_over_ipv6_and_tcp_has_its_sound_in_the_family_that_it_wants(tmp_path: Path, rtp: str) -> None:
    port = free_port()
    async with gateway(tmp_path, {"host": "::1", "port": port}, {"host": "127.0.0.1"}):
        caller = await Caller("::1", rtp).connect("tcp", "::1", port)
        ok = await caller.calls()
        assert header(ok, "Contact") == f"<sip:[::1]:{port};transport=tcp>"
        address, media = described(ok)
        assert address == rtp
        assert f"IN {'IP6' if ':' in rtp else 'IP4'} {rtp}" in next(
            line for line in ok.split("\r\n") if line.startswith("o=")
        )
        caller.speak(address, media)
        assert await caller.hears() == rtp
        await caller.hangs_up()
        caller.close()


async def test_a_wildcard_is_told_to_nobody(tmp_path: Path) -> None:
    port = free_port()
    everywhere = {"host": "0.0.0.0", "advertised": "auto"}
    async with gateway(tmp_path, {**everywhere, "port": port}, everywhere):
        caller = await Caller("127.0.0.1", "127.0.0.1").connect("udp", "127.0.0.1", port)
        ok = await caller.calls()
        assert header(ok, "Contact") == f"<sip:127.0.0.1:{port}>"
        assert described(ok)[0] == "127.0.0.1"
        await caller.hears()
    assert f"Via: SIP/2.0/UDP 127.0.0.1:{port};" in await caller.gets("BYE ")
    assert "0.0.0.0" not in caller.said
    caller.close()


async def test_a_calls_sound_leaves_from_its_listeners_address(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    other = {"transport": "udp", "host": "127.0.0.2", "port": second, "media_host": "127.0.0.2"}
    async with gateway(tmp_path, {"port": first, "listeners": [other]}, {}):
        for host, port in (("127.0.0.1", first), ("127.0.0.2", second)):
            caller = await Caller("127.0.0.1", "127.0.0.1").connect("udp", host, port)
            ok = await caller.calls()
            assert header(ok, "Contact") == f"<sip:{host}:{port}>"
            assert (described(ok)[0], await caller.hears()) == (host, host)
            await caller.hangs_up()
            caller.close()
