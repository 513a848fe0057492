"""Calls whose media stays away, or in which nobody speaks, end by themselves; one on hold does not."""

import asyncio
from pathlib import Path

from tests.e2e.phone import calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import tone
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running

GONE = 1.5
"""Seconds of silence after which a call ends."""
NEVER = 0.8
"""Seconds an answered call may stay without its first packet."""
HUSH = 1.5
"""Seconds nobody may speak."""
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


async def says_nothing(gateway: Gateway) -> None:
    """Reminded by a prompt, and still silent."""
    async with calling(f"prompt@{gateway.address}") as phone:
        await phone.ended()
        assert "silence" in phone.reason
        assert 2 * HUSH + 1.0 < phone.ended_at - phone.answered_at < 2 * HUSH + 2.5
        heard = phone.sound()
        assert abs(heard[int(0.3 * 8000) : int(0.8 * HUSH * 8000)]).max() < 100, "not before its time"
        assert abs(heard).max() > 5000


async def answers(gateway: Gateway) -> None:
    """Reminded, and then there again: the reminder counts for nothing any longer."""
    async with calling(f"prompt@{gateway.address}") as phone:
        for _ in range(2):
            await asyncio.sleep(HUSH + 1.6)
            phone.say(tone(0.4, 600))
        assert phone.up
        await phone.hang_up()


async def is_asked_by_its_ai(gateway: Gateway, backend: FakeBackend) -> None:
    """The AI gets the words; here it keeps them to itself."""
    async with calling(f"words@{gateway.address}") as phone:
        await backend.sent("say")
        await phone.ended()
        assert "silence" in phone.reason
    assert backend.last.of("say") == [{"type": "say", "text": "Are you there?"}]


async def test_a_call_in_which_nobody_speaks_ends_after_a_reminder(tmp_path: Path) -> None:
    async with FakeBackend() as backend, FakeBackend() as mute:
        silent = to("prompt", ai(mute), silence_limit=HUSH)
        asked = to("words", ai(backend), silence_limit=HUSH, silence_say="Are you there?")
        async with running(tmp_path, plan(silent, asked)) as gateway:
            await asyncio.gather(says_nothing(gateway), answers(gateway), is_asked_by_its_ai(gateway, backend))
            ended = await gateway.said("call ended", 3)
    assert sorted(line["cause"] for line in ended) == ["normal", "silence", "silence"]
