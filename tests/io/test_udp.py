"""The UDP listener, on real sockets on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from sipgw.errors import Unavailable
from sipgw.flow import Flow
from sipgw.io.udp import PortTaken, UdpListener


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(2)
        yield sock


@pytest.fixture
async def listener() -> AsyncIterator[UdpListener]:
    opened = UdpListener.open(("127.0.0.1", 0))
    yield opened
    opened.close()


async def received(listener: UdpListener, count: int) -> list[tuple[bytes, Flow]]:
    """Start the listener and wait for that many datagrams."""
    got: list[tuple[bytes, Flow]] = []
    enough = asyncio.Event()

    def receive(data: bytes, flow: Flow) -> None:
        got.append((data, flow))
        if len(got) == count:
            enough.set()

    listener.start(receive)
    await asyncio.wait_for(enough.wait(), 2)
    return got


async def test_a_datagram_comes_with_the_path_it_took(listener: UdpListener, peer: socket.socket) -> None:
    peer.sendto(b"OPTIONS", listener.local)
    assert await received(listener, 1) == [(b"OPTIONS", Flow("udp", listener.local, peer.getsockname()))]


async def test_more_datagrams_than_one_wake_up_takes_all_arrive_in_order(
    listener: UdpListener, peer: socket.socket
) -> None:
    sent = [b"%d" % number for number in range(150)]
    for data in sent:
        peer.sendto(data, listener.local)
    assert [data for data, _ in await received(listener, len(sent))] == sent


async def test_a_flood_leaves_the_loop_time_for_others(listener: UdpListener, peer: socket.socket) -> None:
    for _ in range(150):
        peer.sendto(b"x", listener.local)
    seen: list[int] = []
    count = 0

    def receive(data: bytes, flow: Flow) -> None:
        nonlocal count
        count += 1

    listener.start(receive)
    while count < 150:
        await asyncio.sleep(0)
        seen.append(count)
    assert any(0 < number < 150 for number in seen)


async def test_the_largest_and_the_empty_datagram_arrive_whole(listener: UdpListener, peer: socket.socket) -> None:
    peer.sendto(b"", listener.local)
    peer.sendto(b"L" * 65_507, listener.local)
    assert [len(data) for data, _ in await received(listener, 2)] == [0, 65_507]


async def test_an_answer_leaves_from_the_listener(listener: UdpListener, peer: socket.socket) -> None:
    listener.send(b"200", listener.flow(peer.getsockname()))
    assert peer.recvfrom(100) == (b"200", listener.local)


async def test_a_datagram_too_large_is_counted_and_reported_by_name() -> None:
    failed: list[tuple[str, Flow]] = []
    listener = UdpListener.open(("127.0.0.1", 0), lambda name, flow: failed.append((name, flow)))
    flow = listener.flow(("127.0.0.1", 9))
    listener.send(b"x" * 70_000, flow)
    listener.close()
    assert failed == [("EMSGSIZE", flow)]
    assert listener.send_errors == {"EMSGSIZE": 1}


async def test_sending_after_close_is_counted_and_not_raised() -> None:
    listener = UdpListener.open(("127.0.0.1", 0))
    listener.close()
    listener.close()
    listener.send(b"late", listener.flow(("127.0.0.1", 9)))
    assert listener.send_errors == {"EBADF": 1}


async def test_a_receiver_may_close_the_listener(listener: UdpListener, peer: socket.socket) -> None:
    got: list[bytes] = []

    def receive(data: bytes, flow: Flow) -> None:
        got.append(data)
        listener.close()

    for _ in range(3):
        peer.sendto(b"last", listener.local)
    listener.start(receive)
    await asyncio.sleep(0.02)
    assert got == [b"last"]


async def test_signalling_is_marked_cs3(listener: UdpListener) -> None:
    assert listener._sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 24 << 2


def test_a_taken_port_is_named_with_what_moves_it(peer: socket.socket) -> None:
    port = peer.getsockname()[1]
    with pytest.raises(PortTaken) as caught:
        UdpListener.open(("127.0.0.1", port))
    assert str(caught.value) == f"127.0.0.1:{port} is taken by another program; SIPGW_SIP_PORT or sip.port moves ours"


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(Unavailable, match=r"203\.0\.113\.9 is not an address of this machine; set sip\.host"):
        UdpListener.open(("203.0.113.9", 0))


def test_a_host_name_is_no_address() -> None:
    with pytest.raises(Unavailable, match="'localhost' is not an IP address"):
        UdpListener.open(("localhost", 0))


async def test_ipv6_works_alike() -> None:
    try:
        listener = UdpListener.open(("::1", 0))
    except Unavailable:
        pytest.skip("this machine has no IPv6 loopback")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"six", listener.local)
        [(data, flow)] = await received(listener, 1)
    listener.close()
    assert data == b"six"
    assert flow.remote[0] == "::1"
