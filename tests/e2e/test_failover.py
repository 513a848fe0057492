"""No dead line: whatever an AI does instead of taking the call, the next one has it, or the caller is told."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from sipgw.settings import embedded
from sipgw.tools.listening import match
from sipgw.tools.wav import read_wav
from tests.e2e.phone import Phone, calling
from tests.e2e.plan import BOTH, Way, ai, plan, to
from tests.e2e.sound import RATE_HZ, level_at, tone
from tests.fakes.backend import CloseWith, Drop, FakeBackend, Script, Voice, Wait
from tests.interop.gateway import Gateway, running
from tests.ports import free_port

APOLOGY = read_wav(embedded("config/prompts/apology.wav"), RATE_HZ)
SPARE_HZ = 1100
VOICE = Voice(tone(0.6, SPARE_HZ, 24_000).tobytes())
GREETS: Script = {"open": [VOICE]}
DYING: Script = {"open": [Voice(tone(5.0, 500, 24_000).tobytes()), Wait(0.5), Drop()]}
FAILURES = ("refuses", "unauthorized", "mute", "closes", "errs", "leaves")


def nobody() -> dict[str, Any]:
    """A backend whose port refuses the connection."""
    return {"dialect": "sipgw", "url": f"ws://127.0.0.1:{free_port()}/"}


async def is_served_by_the_spare(gateway: Gateway, number: str) -> None:
    """A call whose first target fails: rung once, answered once, greeted by the second."""
    async with calling(f"{number}@{gateway.address}") as phone:
        assert phone.status == 200, number
        assert len(await phone.hears(28)) >= 28
        assert level_at(phone.sound(), SPARE_HZ) > 500, number
        assert phone.up


async def is_told_sorry(phone: Phone) -> None:
    """The apology was heard whole, and then the gateway hung up."""
    await phone.ended()
    _, likeness = match(APOLOGY, phone.sound()[-len(APOLOGY) :])
    assert likeness > 0.8, likeness
    assert "backend_failed" in phone.reason


@BOTH
async def test_the_next_ai_takes_a_call_that_the_first_cannot_have(tmp_path: Path, workers: int) -> None:
    async with (
        FakeBackend(refuse=401) as unauthorized,
        FakeBackend(mute=True) as mute,
        FakeBackend({"start": [CloseWith(1011)]}) as closing,
        FakeBackend({"start": [{"type": "error", "message": "full"}]}) as erring,
        FakeBackend({"connected": [CloseWith(1013)]}) as leaving,
        FakeBackend(GREETS) as spare,
    ):
        slow = {"connect_timeout": 0.6}
        firsts = (
            *(nobody(), ai(unauthorized), ai(mute, **slow)),
            *(ai(one, settings={"wait_ready": True}) for one in (closing, erring)),
            ai(leaving),
        )
        ways = [to(number, first, ai(spare)) for number, first in zip(FAILURES, firsts, strict=True)]
        async with running(tmp_path, plan(*ways, workers=workers)) as gateway:
            await asyncio.gather(*(is_served_by_the_spare(gateway, number) for number in FAILURES))
            ended = await gateway.said("call ended", len(FAILURES))
        assert {line["cause"] for line in ended} == {"normal"}
        assert {line["target"] for line in ended} == {f"{number}-1" for number in FAILURES}


async def refused(gateway: Gateway) -> None:
    """All targets failed, and the route wants a code."""
    async with calling(f"refused@{gateway.address}") as phone:
        assert phone.status == 503
        assert phone.heard == []


async def apologised_to(gateway: Gateway) -> None:
    """All targets failed, and the route wants an apology."""
    async with calling(f"sorry@{gateway.address}") as phone:
        assert phone.status == 200
        await is_told_sorry(phone)


async def handed_over(gateway: Gateway, spare: FakeBackend) -> None:
    """The AI died in mid-sentence; the next one speaks, RTP never stops, nothing of the first is heard any more."""
    async with calling(f"dies@{gateway.address}") as phone:
        await spare.sent("open")
        await spare.sent("drained")
        assert phone.up
        speech = phone.sound()
        assert level_at(speech, 500) > 500
        assert level_at(speech[-RATE_HZ // 2 :], 500) < 50
        assert level_at(speech[-RATE_HZ // 2 :], SPARE_HZ) > 500
        steps = np.diff([packet.sequence for packet in phone.heard]) % 65_536
        assert set(steps) == {1}
        assert len({packet.ssrc for packet in phone.heard}) == 1
        gaps = np.diff([packet.when for packet in phone.heard])
        assert gaps.max() < 0.1, "an unbroken stream"


async def taken_up_again(gateway: Gateway, backend: FakeBackend) -> None:
    """The connection broke, and the same AI is connected again: it is told so, and goes on."""
    async with calling(f"again@{gateway.address}") as phone:
        await backend.until(lambda: bool(backend.conversations and backend.last.audio))
        await backend.do(Drop())
        await backend.until(lambda: len(backend.conversations) == 2)
        assert (await backend.sent("start"))[0]["resumed"] is True
        await backend.sent("open")
        await backend.do(VOICE)
        assert len(await phone.hears(29)) >= 29
        assert len(backend.last.audio) > 24_000, "it hears the caller"
        assert phone.up


async def left_alone(gateway: Gateway) -> None:
    """The only AI died: the caller is told, and hung up."""
    async with calling(f"alone@{gateway.address}") as phone:
        await is_told_sorry(phone)
        assert level_at(phone.sound(), 500) > 50, "the AI was heard before"


@BOTH
async def test_no_line_goes_dead(tmp_path: Path, workers: int) -> None:
    async with (
        FakeBackend(refuse=500) as broken,
        FakeBackend(DYING) as dying,
        FakeBackend(DYING) as lonely,
        FakeBackend() as again,
        FakeBackend(GREETS) as spare,
    ):
        ways: list[Way] = [
            to("refused", nobody(), ai(broken), last_resort="503"),
            to("sorry", nobody(), ai(broken)),
            to("dies", ai(dying), ai(spare)),
            to("alone", ai(lonely)),
            to("again", ai(again, reconnects=2)),
        ]
        async with running(tmp_path, plan(*ways, workers=workers)) as gateway:
            await asyncio.gather(
                *(refused(gateway), apologised_to(gateway), handed_over(gateway, spare), left_alone(gateway)),
                taken_up_again(gateway, again),
            )
            ended = {line["called"]: line for line in await gateway.said("call ended", 5)}
        assert {number: line["cause"] for number, line in ended.items()} == {
            "refused": "backend_failed",
            "sorry": "backend_failed",
            "dies": "normal",
            "alone": "backend_failed",
            "again": "normal",
        }
