"""The link between control and a worker, over a real socket pair."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator

from sipgw.worker.link import LONGEST_BYTES, Link


class End:
    """One end and what it took."""

    def __init__(self, sock: socket.socket) -> None:
        self.messages: list[bytes] = []
        self.descriptors: list[int] = []
        self.ends = 0
        self._news = asyncio.Event()
        self.link = Link(sock, self._take, self._ended)

    def _take(self, message: bytes, descriptors: list[int]) -> None:
        self.messages.append(message)
        self.descriptors += descriptors
        self._news.set()

    def _ended(self) -> None:
        self.ends += 1
        self._news.set()

    async def until(self, count: int, ends: int = 0) -> list[bytes]:
        """The first messages, and so many ends, waited for."""
        async with asyncio.timeout(5):
            while len(self.messages) < count or self.ends < ends:
                self._news.clear()
                await self._news.wait()
        return self.messages


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[End, End]]:
    before = set(os.listdir("/proc/self/fd"))
    ends = [End(sock) for sock in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    try:
        yield ends[0], ends[1]
    finally:
        for end in ends:
            end.link.close()
            for descriptor in end.descriptors:
                os.close(descriptor)
        assert set(os.listdir("/proc/self/fd")) <= before


async def test_messages_come_in_order_both_ways() -> None:
    async with pair() as (one, other):
        for number in range(100):
            one.link.send(b"%d" % number)
        other.link.send(b"back")
        assert await other.until(100) == [b"%d" % number for number in range(100)]
        assert await one.until(1) == [b"back"]


async def test_a_message_longer_than_the_socket_takes_comes_whole_and_in_its_place() -> None:
    long = os.urandom(5 << 20)
    async with pair() as (one, other):
        for message in (b"before", long, bytes(LONGEST_BYTES), bytes(LONGEST_BYTES + 1), b"after"):
            one.link.send(message)
        lengths = [len(message) for message in await other.until(5)]
        assert lengths == [6, 5 << 20, LONGEST_BYTES, LONGEST_BYTES + 1, 5]
        assert other.messages[1] == long


async def test_descriptors_travel_with_their_message() -> None:
    async with pair() as (one, other):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            address = sock.getsockname()
            one.link.send(b"take this", (sock.fileno(), sock.fileno()))
            one.link.send(bytes(LONGEST_BYTES + 1), (sock.fileno(),))
        await other.until(2)
        assert len(other.descriptors) == 3
        with socket.socket(fileno=os.dup(other.descriptors[2])) as arrived:
            assert arrived.getsockname() == address


async def test_what_a_reader_does_not_take_waits_and_nothing_is_lost() -> None:
    async with pair() as (one, other):
        count = 3000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(count):
                one.link.send(b"%d" % number, (sock.fileno(),) if number >= count - 5 else ())
        assert one.link.backlog > 0
        assert await other.until(count) == [b"%d" % number for number in range(count)]
        assert len(other.descriptors) == 5
        await asyncio.wait_for(one.link.drained(), 1)
        assert one.link.backlog == 0


async def test_the_last_words_of_the_other_side_are_heard_before_its_end_is_told_once() -> None:
    async with pair() as (one, other):
        one.link.send(b"never read")
        for number in range(200):
            other.link.send(b"%d" % number)
        other.link.close()
        assert len(await one.until(200, ends=1)) == 200
        one.link.send(b"to nobody")
        await asyncio.sleep(0.02)
        assert (one.ends, one.link.open, one.link.backlog) == (1, False, 0)


async def test_sending_to_a_side_that_is_gone_is_no_error() -> None:
    async with pair() as (one, other):
        other.link.close()
        one.link.send(b"too late")
        await one.until(0, ends=1)
