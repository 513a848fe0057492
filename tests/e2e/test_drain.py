"""SIGTERM: no new calls, running ones finish, within limits; and never is a far end left on the line."""

import asyncio
import secrets
import signal
from pathlib import Path

from sipgw.flow import Flow
from sipgw.io.udp import UdpListener
from tests.e2e.phone import HOST, calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running


async def options(gateway: Gateway) -> str:
    """The first line of the answer to a ping."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def take(data: bytes, _: Flow) -> None:
        if not answer.done():
            answer.set_result(data)

    pinger = UdpListener.open((HOST, 0))
    pinger.start(take)
    head = (
        f"OPTIONS sip:{gateway.address} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{pinger.local[1]};branch=z9hG4bKping\r\n"
        f"From: <sip:ping@{HOST}>;tag=1\r\nTo: <sip:{gateway.address}>\r\nCall-ID: {secrets.token_hex(4)}\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    pinger.send(head.encode(), pinger.flow((HOST, gateway.port)))
    try:
        return (await asyncio.wait_for(answer, 5)).decode().splitlines()[0]
    finally:
        pinger.close()


async def lets_calls_finish(folder: Path, workers: int) -> None:
    """A call that is up goes on; new ones, and OPTIONS, are sent elsewhere; then the process ends by itself."""
    folder.mkdir()
    async with (
        FakeBackend(echo=True) as backend,
        running(folder, plan(to("*", ai(backend)), calls={"retry_after": 17}, workers=workers)) as gateway,
        calling(f"ai@{gateway.address}") as phone,
    ):
        assert await options(gateway) == "SIP/2.0 200 OK"
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        async with calling(f"ai@{gateway.address}") as late:
            assert late.status == 503
            assert late.response is not None
            assert late.response.headers.get("Retry-After") == "17"
        assert (await options(gateway)).startswith("SIP/2.0 503")
        await asyncio.sleep(0.5)
        assert phone.up
        assert phone.heard[-1].when > phone.now - 0.2, "RTP goes on"
        await phone.hang_up()
        assert await asyncio.wait_for(gateway.process.wait(), 2) == 0
    assert [line["cause"] for line in await gateway.said("call ended", 2)] == ["draining", "normal"]


async def ends_calls_at_the_limit(folder: Path, workers: int) -> None:
    """A call that goes on for longer than the limit is hung up."""
    folder.mkdir()
    async with (
        FakeBackend() as backend,
        running(folder, plan(to("*", ai(backend)), calls={"drain_limit": 0.7}, workers=workers)) as gateway,
        calling(f"ai@{gateway.address}") as phone,
    ):
        gateway.process.send_signal(signal.SIGTERM)
        told = phone.now
        await phone.ended()
        assert "shutdown" in phone.reason
        assert 0.6 < phone.ended_at - told < 1.2
        assert await asyncio.wait_for(gateway.process.wait(), 2) == 0
        assert backend.last.of("end") == [{"type": "end", "reason": "shutdown"}]
        assert backend.last.closed == 1000


async def ends_at_once_when_told_twice(folder: Path, workers: int) -> None:
    """The second signal waits for nobody but the far ends: both callers and AIs are told, those who ring as well."""
    folder.mkdir()
    async with (
        FakeBackend() as backend,
        FakeBackend() as slow,
        running(
            folder, plan(to("ai", ai(backend)), to("slow", ai(slow, settings={"wait_ready": True})), workers=workers)
        ) as gateway,
        calling(f"ai@{gateway.address}") as phone,
        calling(f"ai@{gateway.address}") as other,
    ):
        ringing = asyncio.create_task(refused_while_it_rings(gateway))
        await slow.sent("start")
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert phone.up
        gateway.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.process.wait(), 2) == 0
        for one in (phone, other):
            await one.ended(within=0.5)
            assert "shutdown" in one.reason
        await ringing
        assert [talk.of("end") for talk in backend.conversations] == [[{"type": "end", "reason": "shutdown"}]] * 2
    causes = [line["cause"] for line in await gateway.said("call ended", 3)]
    assert causes == ["shutdown"] * 3


async def refused_while_it_rings(gateway: Gateway) -> None:
    """A call whose AI is not ready when the gateway stops."""
    async with calling(f"slow@{gateway.address}") as phone:
        assert phone.status == 503


async def waits_no_longer_than_a_moment_for_a_dead_phone(folder: Path, workers: int) -> None:
    """A phone that is gone cannot hold the process: its BYE is repeated for a while and then given up."""
    folder.mkdir()
    async with FakeBackend() as backend, running(folder, plan(to("*", ai(backend)), workers=workers)) as gateway:
        async with calling(f"ai@{gateway.address}") as phone:
            phone.vanish()
        began = asyncio.get_running_loop().time()
        for _ in range(2):
            gateway.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
        assert await asyncio.wait_for(gateway.process.wait(), 6) == 0
        assert asyncio.get_running_loop().time() - began < 4


@BOTH
async def test_nobody_is_left_on_the_line_when_the_gateway_stops(tmp_path: Path, workers: int) -> None:
    await asyncio.gather(
        lets_calls_finish(tmp_path / "finish", workers),
        ends_calls_at_the_limit(tmp_path / "limit", workers),
        ends_at_once_when_told_twice(tmp_path / "twice", workers),
        waits_no_longer_than_a_moment_for_a_dead_phone(tmp_path / "dead", workers),
    )
