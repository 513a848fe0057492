"""The class of service of every socket, read from the sockets themselves (RFC 2474)."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from sipgw.flow import Flow
from sipgw.io.ports import PortPool
from sipgw.io.transports import Transports
from sipgw.options import ListenerOptions, MediaOptions, SipOptions, StreamOptions
from sipgw.sip.framing import StreamFramer
from tests.io.test_transports import User
from tests.ports import free_port

SIP, RTP = 26, 34
PAGE = "https://phone.example"


def sockets() -> Iterator[socket.socket]:
    """Every IP socket of this process."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if Path(f"/proc/self/fd/{name}").readlink().name.startswith("socket:"):
                with closing(socket.socket(fileno=os.dup(int(name)))) as one:
                    if one.family in (socket.AF_INET, socket.AF_INET6):
                        yield one


def classes(port: int, *, there: bool = False) -> list[int]:
    """Of the sockets with this port at our end, or at the other."""
    found = []
    for one in sockets():
        with suppress(OSError):
            if (one.getpeername() if there else one.getsockname())[1] == port:
                six = one.family == socket.AF_INET6
                option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if six else (socket.IPPROTO_IP, socket.IP_TOS)
                found.append(one.getsockopt(*option) >> 2)
    return found


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    address = str(request.param)
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        pytest.skip(f"this machine has no {address}")
    return address


async def opened(host: str, transport: str) -> tuple[Transports, int]:
    """A listener and its port."""
    port = free_port()
    options = SipOptions(
        (ListenerOptions(transport, host, port, origins=(PAGE,)),), dscp=SIP, streams=StreamOptions(dscp=SIP)
    )
    transports = Transports(options, lambda ours: StreamFramer(opened_by_us=ours), User())
    await transports.open()
    return transports, port


@pytest.mark.parametrize("transport", ["udp", "tcp", "ws"])
async def test_what_listens_and_what_it_accepts(host: str, transport: str) -> None:
    transports, port = await opened(host, transport)
    if transport == "udp":
        assert classes(port) == [SIP]
    elif transport == "tcp":
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"\r\n\r\n")
        async with asyncio.timeout(5):
            while len(classes(port)) < 2:
                await asyncio.sleep(0.01)
        assert classes(port) == [SIP, SIP]
        writer.close()
    else:
        uri = f"ws://{f'[{host}]' if ':' in host else host}:{port}"
        async with connect(uri, subprotocols=[Subprotocol("sip")], origin=Origin(PAGE)):
            assert classes(port) == [SIP, SIP]
    await transports.close()


async def test_what_we_open(host: str) -> None:
    transports, port = await opened(host, "tcp")
    met = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        met.set()
        writer.close()

    server = await asyncio.start_server(meet, host, 0)
    there = server.sockets[0].getsockname()[1]
    transports.send(b"x", Flow("tcp", (host, port), (host, there)))
    await asyncio.wait_for(met.wait(), 5)
    assert classes(there, there=True) == [SIP]
    await transports.close()
    server.close()
    await server.wait_closed()


def test_rtp_and_rtcp(host: str) -> None:
    pair = PortPool(MediaOptions(host, dscp=RTP)).take(0.0)
    assert classes(pair.port) + classes(pair.port + 1) == [RTP, RTP]
    pair.rtp.close()
    pair.rtcp.close()
