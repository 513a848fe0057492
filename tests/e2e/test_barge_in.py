"""Barge-in as the caller hears it: nothing of the interrupted speech is sent late, and the AI learns what was."""

import asyncio
import time
from pathlib import Path

from sipgw.settings import embedded
from sipgw.tools.wav import read_wav
from tests.e2e.phone import Phone, calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import RATE_HZ as PHONE_HZ
from tests.e2e.sound import Packet, tone
from tests.fakes.backend import FakeBackend, Voice
from tests.interop.gateway import Gateway, running

RATE_HZ = 24_000
TONE = tone(10, 1100, RATE_HZ).tobytes()
SPEECH = read_wav(embedded("config/prompts/apology.wav"), PHONE_HZ)
"""A voice."""
LATEST = 0.025
"""Seconds after the clear reached the engine in which speech may still be sent."""
ON_THE_WAY = 0.010
"""Seconds for the clear from the backend to the engine, on a machine that is busy with the test as well."""


def spoken_ms(packets: list[Packet]) -> int:
    """How long the audible packets last."""
    return 20 * sum(packet.audible for packet in packets)


async def interrupt(backend: FakeBackend, phone: Phone, number: int) -> None:
    """Let the AI speak ten seconds at once, clear it somewhere in the middle, and look at what was sent."""
    item, began = f"speech-{number}", time.time()
    await backend.do(Voice(TONE, item), {"type": "mark", "name": item})
    # Each clear falls into another part of the 20 ms between two packets.
    await phone.hears(15, since=began)
    await asyncio.sleep(number * 0.004)
    cleared = time.time()
    await backend.do({"type": "clear"})
    told = (await backend.sent("interrupted", number + 1))[number]
    await asyncio.sleep(0.25)
    last = max(packet.when for packet in phone.since(began) if packet.audible)
    assert last - cleared < LATEST + ON_THE_WAY, f"clear {number}: speech {(last - cleared) * 1000:.1f} ms later"
    assert told["item"] == item
    assert told["queued_ms"] == 10_000
    assert abs(told["sent_ms"] - spoken_ms(phone.since(began))) <= 20
    assert backend.last.of("mark")[number] == {"type": "mark", "name": item, "cleared": True}


@BOTH
async def test_no_speech_is_sent_later_than_25_ms_after_the_backend_cleared_it(tmp_path: Path, workers: int) -> None:
    async with (
        FakeBackend() as backend,
        running(tmp_path, plan(to("ai", ai(backend)), workers=workers)) as gateway,
        calling(f"ai@{gateway.address}") as phone,
    ):
        await backend.sent("open")
        for number in range(5):
            await interrupt(backend, phone, number)
        # The AI is heard again after that.
        began = time.time()
        await backend.do(Voice(tone(0.4, 1100, RATE_HZ).tobytes(), "again"))
        await backend.sent("drained")
        await asyncio.sleep(0.1)
        assert abs(spoken_ms(phone.since(began)) - 400) <= 20


async def caller_interrupts(gateway: Gateway, backend: FakeBackend) -> None:
    async with calling(f"ai@{gateway.address}") as phone:
        await backend.sent("open")
        began = time.time()
        await backend.do(Voice(TONE, "long"), {"type": "mark", "name": "end"})
        await phone.hears(40)
        phone.say(SPEECH[: 2 * PHONE_HZ])
        told = (await backend.sent("interrupted"))[0]
        interrupted = backend.last.times_of("interrupted")[0]
        # What the AI still says of it is not heard; what it says next is.
        await backend.do(Voice(TONE[: RATE_HZ * 2], "long"))
        await asyncio.sleep(0.3)
        last = max(packet.when for packet in phone.heard if packet.audible)
        assert last - interrupted < LATEST + ON_THE_WAY
        assert told["item"] == "long"
        assert abs(told["sent_ms"] - spoken_ms(phone.since(began))) <= 20
        assert [mark["cleared"] for mark in backend.last.of("mark")] == [True]
        assert backend.last.of("speech")[0]["speaking"] is True
        await backend.do(Voice(TONE[: RATE_HZ // 5 * 2], "next"))
        assert spoken_ms(await phone.hears(9, since=last + 0.001)) >= 180


@BOTH
async def test_a_caller_who_speaks_over_the_ai_silences_it(tmp_path: Path, workers: int) -> None:
    async with (
        FakeBackend() as backend,
        running(tmp_path, plan(to("ai", ai(backend, barge_in="local")), workers=workers)) as gateway,
    ):
        await caller_interrupts(gateway, backend)
