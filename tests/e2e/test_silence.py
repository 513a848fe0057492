"""Calls whose media stays away end by themselves; a call on hold, or one that still sends RTCP, does not."""

import asyncio
from pathlib import Path

from tests.e2e.phone import calling
from tests.e2e.plan import BOTH, plan, to
from tests.interop.gateway import Gateway, running

GONE = 1.5
"""Seconds of silence after which a call ends."""
NEVER = 0.8
"""Seconds an answered call may stay without its first packet."""
LONG = 2.5
"""Seconds, longer than both."""


async def falls_silent(gateway: Gateway) -> float:
    """Seconds from the last packet to the gateway's BYE."""
    async with calling(f"silent@{gateway.address}") as phone:
        await asyncio.sleep(0.5)
        phone.speaks = False
        fell = phone.now
        await phone.ended()
        assert "media_timeout" in phone.reason
        return phone.ended_at - fell


async def never_speaks(gateway: Gateway) -> float:
    """Seconds from the answer to the gateway's BYE."""
    async with calling(f"never@{gateway.address}", speaks=False) as phone:
        await phone.ended()
        assert phone.bye is not None
        return phone.ended_at - phone.answered_at


async def only_reports(gateway: Gateway) -> None:
    """RTP stops, RTCP goes on: a sign of life. Then that stops, too."""
    async with calling(f"reports@{gateway.address}") as phone:
        await asyncio.sleep(0.3)
        phone.speaks = False
        for _ in range(5):
            await asyncio.sleep(LONG / 5)
            phone.send_rtcp()
        assert phone.up
        await phone.ended()
        assert phone.bye is not None


async def holds(gateway: Gateway, way: str) -> None:
    """On hold nothing need come. Phones without music often say `sendonly` and send nothing."""
    async with calling(f"{way}@{gateway.address}") as phone:
        await asyncio.sleep(0.3)
        phone.speaks = False
        await phone.reinvite(way)
        await asyncio.sleep(LONG)
        assert phone.up, way
        # Resumed, the phone has to be heard again.
        await phone.reinvite("sendrecv")
        resumed = phone.now
        await phone.ended()
        assert phone.bye is not None
        assert abs(phone.ended_at - resumed - GONE) < 0.3


@BOTH
async def test_a_call_without_media_ends_by_itself(tmp_path: Path, workers: int) -> None:
    media = {"inactivity_timeout": GONE, "first_packet_timeout": NEVER}
    async with running(tmp_path, plan(to("*", {"dialect": "tone"}), media=media, workers=workers)) as gateway:
        on_hold = (holds(gateway, way) for way in ("sendonly", "inactive", "recvonly"))
        patient = asyncio.gather(only_reports(gateway), *on_hold)
        silent, never, _ = await asyncio.gather(falls_silent(gateway), never_speaks(gateway), patient)
        ended = await gateway.said("call ended", 6)
    assert abs(silent - GONE) < 0.3
    assert abs(never - NEVER) < 0.3
    assert {line["cause"] for line in ended} == {"media_timeout"}
    reasons = {line["called"]: line["reason"] for line in ended}
    assert reasons.pop("never") == "no_packet_ever"
    assert set(reasons.values()) == {"no_more_packets"}
