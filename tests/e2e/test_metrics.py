"""What a scraper sees of a gateway: calls, causes, what was dropped and why, and how the engine keeps time."""

import asyncio
import socket
import struct
from pathlib import Path

from tests.e2e.phone import HOST, calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.scraper import scrape
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import running
from tests.ports import free_port

STRANGERS = 7


def drops(layer: str, reason: str) -> str:
    return f'sipgw_drops_total{{layer="{layer}",reason="{reason}"}}'


def intrude(rtp: tuple[str, int]) -> None:
    """RTP that nobody asked for, from a port nobody knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(STRANGERS):
            stranger.sendto(struct.pack("!BBHII", 0x80, 0, number, number * 160, 99) + bytes(160), rtp)


@BOTH
async def test_a_scraper_sees_calls_drops_by_name_and_the_engines_time(tmp_path: Path, workers: int) -> None:
    port = free_port()
    async with FakeBackend({"open": [{"type": "juggle"}]}) as backend:
        way = to("ai", ai(backend))
        async with running(tmp_path, plan(way, metrics={"host": HOST, "port": port}, workers=workers)) as gateway:
            before = await scrape(port)
            async with calling(f"ai@{gateway.address}") as phone, calling(f"nobody@{gateway.address}") as lost:
                assert lost.status == 404
                await asyncio.sleep(0.2)
                intrude(phone.remote)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
                    noise.sendto(b"\x00\xff nothing like SIP", (HOST, gateway.port))
                await asyncio.sleep(1.5 if workers else 0.2)  # a worker tells what it has counted once a second
                during = await scrape(port)
            ended = (await gateway.said("call ended", 2))[1]
            after = await scrape(port)
    assert before["sipgw_calls_active"] == 0
    assert (during["sipgw_calls_active"], after["sipgw_calls_active"]) == (1, 0)
    assert after['sipgw_calls_total{cause="normal",outcome="answered"}'] == 1
    assert after['sipgw_calls_total{cause="not_found",outcome="refused"}'] == 1
    assert after["sipgw_call_seconds_total"] > 0.3
    for layer, reason, count in (
        ("media", "stranger", STRANGERS),
        ("ai", "unknown_message", 1),
        ("call", "not_found", 1),
    ):
        assert during[drops(layer, reason)] == after[drops(layer, reason)] == count
    assert sum(value for name, value in during.items() if name.startswith('sipgw_drops_total{layer="sip"')) == 1
    assert ended["drops"] == f"{STRANGERS} stranger"
    # The engine beats every 5 ms.
    assert after['sipgw_tick_lateness_seconds_count{worker="0"}'] > 50
    assert after['sipgw_late_ticks_total{worker="0"}'] >= before['sipgw_late_ticks_total{worker="0"}']
