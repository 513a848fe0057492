"""How others are told to reach us: what is written, found by route, at an interface, or by a server that says so."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from sipgw.app.reach import Reach
from sipgw.errors import Unavailable
from sipgw.flow import Endpoint
from sipgw.io.clock import MonotonicClock
from sipgw.options import AddressOptions
from sipgw.trace import Note


class StunServer(asyncio.DatagramProtocol):
    """Says what it is told to say (RFC 8489), and nothing while that is nothing."""

    def __init__(self) -> None:
        self.says = "198.51.100.7"
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        self.asked += 1
        if self.says:
            mapped = struct.pack("!HHBBH", 0x0001, 8, 0, 1, 4000) + ip_address(self.says).packed
            self.transport.sendto(struct.pack("!HH", 0x0101, len(mapped)) + data[4:20] + mapped, addr)


@contextlib.asynccontextmanager
async def stun_server() -> AsyncIterator[tuple[StunServer, str]]:
    """One, and how it is written in a configuration."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        StunServer, local_addr=("127.0.0.1", 0)
    )
    yield server, "stun:127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    transport.close()


class Told:
    """Takes what a reach says of itself."""

    def __init__(self, folder: Path) -> None:
        self.kept = folder / "advertised.json"
        self.changes: asyncio.Queue[tuple[AddressOptions, str, str]] = asyncio.Queue()
        self.notes: asyncio.Queue[Note] = asyncio.Queue()

    def reach(self, *wanted: AddressOptions, again: float = 60.0) -> Reach:
        return Reach(
            wanted,
            lambda *change: self.changes.put_nowait(change),
            trace=self.notes.put_nowait,
            clock=MonotonicClock(),
            kept=self.kept,
            again=again,
            first_wait=0.05,
        )


@contextlib.asynccontextmanager
async def opened(folder: Path, *wanted: AddressOptions) -> AsyncIterator[Reach]:
    reach = Told(folder).reach(*wanted)
    await reach.open()
    yield reach
    await reach.close()


@pytest.mark.parametrize(
    ("address", "remote", "told"),
    [
        (AddressOptions("192.0.2.10"), "203.0.113.1", "192.0.2.10"),
        (AddressOptions("192.0.2.10", "198.51.100.7"), "203.0.113.1", "198.51.100.7"),
        (AddressOptions("192.0.2.10", "auto"), "203.0.113.1", "192.0.2.10"),
        (AddressOptions("0.0.0.0", "auto"), "127.0.0.1", "127.0.0.1"),
        (AddressOptions("0.0.0.0"), "127.0.0.1", "127.0.0.1"),
        (AddressOptions("0.0.0.0", "auto"), "nowhere", "127.0.0.1"),
        (AddressOptions("0.0.0.0", "interface:lo"), "203.0.113.1", "127.0.0.1"),
        (AddressOptions("0.0.0.0", "localhost"), "203.0.113.1", "127.0.0.1"),
    ],
)
async def test_what_is_told(tmp_path: Path, address: AddressOptions, remote: str, told: str) -> None:
    async with opened(tmp_path, address) as reach:
        assert reach.told(address, remote) == told


async def test_a_server_outside_says_it_and_says_it_again_when_it_changes(tmp_path: Path) -> None:
    async with stun_server() as (server, written):
        address, told = AddressOptions("127.0.0.1", written), Told(tmp_path)
        reach = told.reach(address, again=0.01)
        await reach.open()
        assert reach.told(address, "203.0.113.1") == "198.51.100.7"
        server.says = "198.51.100.8"
        change = await asyncio.wait_for(told.changes.get(), 5)
        assert change == (address, "198.51.100.7", "198.51.100.8")
        assert reach.told(address, "203.0.113.1") == "198.51.100.8"
        await reach.close()


async def test_what_was_known_holds_while_it_cannot_be_found_out_again(tmp_path: Path) -> None:
    async with stun_server() as (server, written):
        address, told = AddressOptions("127.0.0.1", written), Told(tmp_path)
        reach = told.reach(address, again=0.01)
        await reach.open()
        server.transport.close()
        note = await asyncio.wait_for(told.notes.get(), 12)
        assert (note.name, "does not tell the address of 127.0.0.1: no answer" in note.detail) == (
            "address_not_found",
            True,
        )
        assert reach.told(address, "203.0.113.1") == "198.51.100.7"
        await reach.close()


async def test_a_start_without_the_server_goes_on_with_what_it_had_said(tmp_path: Path) -> None:
    async with stun_server() as (_, written):
        address = AddressOptions("127.0.0.1", written)
        async with opened(tmp_path, address):
            pass
    told = Told(tmp_path)
    reach = told.reach(address)
    await reach.open()
    assert reach.told(address, "203.0.113.1") == "198.51.100.7"
    assert told.notes.get_nowait().name == "address_not_found"
    await reach.close()
    told.kept.write_text('{"cut o')
    with pytest.raises(Unavailable):
        await told.reach(address).open()


@pytest.mark.parametrize(
    ("advertised", "why"),
    [
        ("interface:eth77", "there is no interface eth77"),
        ("nobody.invalid", r"nobody\.invalid has no IPv4 address to put into SDP"),
        ("stun:nobody.invalid", r"STUN server nobody\.invalid:3478 cannot be asked from 127\.0\.0\.1"),
    ],
)
async def test_what_cannot_be_found_out_at_the_start_is_said(tmp_path: Path, advertised: str, why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        await Told(tmp_path).reach(AddressOptions("127.0.0.1", advertised)).open()


async def test_a_server_that_says_nothing_is_told_after_four_tries(tmp_path: Path) -> None:
    async with stun_server() as (server, written):
        server.says = ""
        with pytest.raises(Unavailable, match=r"does not tell the address of 127\.0\.0\.1: no answer"):
            await Told(tmp_path).reach(AddressOptions("127.0.0.1", written)).open()
        assert server.asked == 4


async def test_a_stranger_cannot_answer_for_the_server(tmp_path: Path) -> None:
    async with stun_server() as (server, written):
        address = AddressOptions("127.0.0.1", written)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            answered = server.datagram_received

            def first(data: bytes, addr: Endpoint) -> None:
                server.says = "192.0.2.66"
                forged = struct.pack("!HHBBH", 0x0001, 8, 0, 1, 4000) + ip_address(server.says).packed
                stranger.sendto(struct.pack("!HH", 0x0101, len(forged)) + data[4:20] + forged, addr)
                server.says = "198.51.100.7"
                answered(data, addr)

            server.datagram_received = first  # type: ignore[method-assign]
            async with opened(tmp_path, address) as reach:
                assert reach.told(address, "203.0.113.1") == "198.51.100.7"
