"""Floods while others talk: of calls beyond a limit, each of which is refused, and of garbage. Those who talk do not
notice."""

import asyncio
import re
import secrets
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.garbage import SOURCES
from tests.e2e.phone import HOST, Phone, calling
from tests.e2e.plan import ai, plan, to
from tests.e2e.scraper import scrape
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
CALLS = 10
FLOOD = 1500
SECONDS = 3.0
OWN_HZ = 900
PACKETS = 50
"""A second, of each call."""


class Flooder:
    """Sends INVITEs as they come to mind, and counts the answers."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._sock.bind((HOST, 0))
        self._sock.setblocking(False)
        self.finals: dict[str, str] = {}
        """Status and Retry-After by Call-ID."""

    async def sends(self, count: int, seconds: float) -> None:
        """So many INVITEs, evenly over the time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(count):
            self._sock.sendto(self._invite(), (HOST, self._gateway.port))
            self._take()
            await asyncio.sleep(max(began + (number + 1) * seconds / count - loop.time(), 0))
        await asyncio.sleep(0.5)
        self._take()

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def _invite(self) -> bytes:
        name = secrets.token_hex(6)
        here = f"{HOST}:{self._sock.getsockname()[1]}"
        return (
            f"INVITE sip:ai@{self._gateway.address} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{name}\r\n"
            f"From: <sip:flood@{HOST}>;tag={name}\r\nTo: <sip:ai@{HOST}>\r\nCall-ID: {name}\r\nCSeq: 1 INVITE\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:flood@{here}>\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def _take(self) -> None:
        while True:
            try:
                text = self._sock.recv(65_535).decode()
            except BlockingIOError:
                return
            status = text.split(" ", 2)[1]
            call_id, retry = re.search(r"Call-ID: (\w+)", text), re.search(r"Retry-After: (\d+)", text)
            if call_id and status >= "200":
                self.finals[call_id[1]] = f"{status} {retry[1] if retry else ''}".strip()


async def talks(gateway: Gateway, flooded: asyncio.Event) -> tuple[Phone, float]:
    """One who talks to an echo until the flood is over; how many seconds its BYE then takes."""
    async with calling(f"ai@{gateway.address}") as phone:
        phone.say(tone(SECONDS + 4, OWN_HZ))
        while not flooded.is_set():
            await asyncio.sleep(1.0)
            phone.say(tone(1.0, OWN_HZ))
        assert level_at(phone.sound()[-4000:], OWN_HZ) > 8000
        began = time.monotonic()
        await phone.hang_up()
        return phone, time.monotonic() - began


async def test_a_flood_beyond_the_limit_is_refused_and_those_who_talk_do_not_notice(tmp_path: Path) -> None:
    metrics = free_port()
    limits = {"max_calls": CALLS, "retry_after": 17}
    async with (
        FakeBackend(echo=True) as backend,
        running(
            tmp_path,
            plan(
                to("*", ai(backend, live=True, barge_in="off")), calls=limits, metrics={"host": HOST, "port": metrics}
            ),
        ) as gateway,
    ):
        flooded = asyncio.Event()
        talking = [asyncio.create_task(talks(gateway, flooded)) for _ in range(CALLS)]
        await gateway.said("call answered", CALLS)
        flooder = Flooder(gateway)
        await flooder.sends(FLOOD, SECONDS)
        flooder.close()
        flooded.set()
        phones = [phone for phone, _ in await asyncio.gather(*talking)]
        counted = await scrape(metrics)
        await gateway.said("call ended", CALLS)
    assert len(flooder.finals) == FLOOD
    assert set(flooder.finals.values()) == {"503 17"}
    assert counted['sipgw_calls_total{cause="overload",outcome="refused"}'] == FLOOD
    refused = [line for line in gateway.lines if line.get("cause") == "overload"]
    assert len(refused) < 30 * (SECONDS + 2), "a flood fills no log"
    for phone in phones:
        assert set(np.diff([packet.sequence for packet in phone.heard]) % 65_536) == {1}
        seconds = phone.heard[-1].when - phone.heard[0].when
        assert len(phone.heard) > 0.95 * seconds * PACKETS, "as many as there should be, however busy the machine is"


async def under_garbage(folder: Path, calls: int, rate: int, seconds: float) -> None:
    """Calls with sound both ways through a worker process, and a flood that goes on behind their end."""
    metrics = free_port()
    way = to("ai", {"dialect": "echo"})
    settings = plan(way, workers=1, metrics={"host": HOST, "port": metrics})
    async with running(folder, settings) as gateway:
        flooded = asyncio.Event()
        talking = [asyncio.create_task(talks(gateway, flooded)) for _ in range(calls)]
        await gateway.said("call answered", calls)
        command = (sys.executable, "-m", "tests.e2e.garbage", str(gateway.port), str(rate), str(seconds + 2))
        flooder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        await asyncio.sleep(seconds)
        flooded.set()
        ends = await asyncio.gather(*talking)
        sent = int((await flooder.communicate())[0])
        ended = [line for line in await gateway.said("call ended", calls) if line["called"] == "ai"]
        counted = await scrape(metrics)
        async with calling(f"ai@{gateway.address}") as later:
            assert later.up
    assert sent > rate * seconds * 0.8, "the flood was one"
    dropped = sum(value for name, value in counted.items() if name.startswith('sipgw_drops_total{layer="sip"'))
    assert dropped > sent * 0.5, "it came through to the gateway"
    assert counted["sipgw_banned"] == len(SOURCES)
    assert sum(line["lost_packets"] for line in ended) == 0
    for phone, bye in ends:
        assert bye < 1.0
        assert set(np.diff([packet.sequence for packet in phone.heard]) % 65_536) == {1}
    assert not [line for line in gateway.lines if line["level"] == "error"]


async def test_under_a_flood_of_garbage_established_calls_lose_nothing(tmp_path: Path) -> None:
    await under_garbage(tmp_path, calls=5, rate=5000, seconds=3.0)


@pytest.mark.soak
async def test_under_twice_the_garbage_for_a_minute_neither(tmp_path: Path) -> None:
    await under_garbage(tmp_path, calls=20, rate=10_000, seconds=60.0)
