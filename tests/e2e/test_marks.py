"""Marks: the AI learns when the caller has heard something, to the packet."""

import asyncio
from pathlib import Path

from tests.e2e.phone import calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import tone
from tests.fakes.backend import FakeBackend, Script, Voice
from tests.interop.gateway import running

RATE_HZ = 24_000
NEAR = 0.040
"""Seconds between the packet's leaving and the word of it."""


def second(part: float) -> Voice:
    """A part of a second of a tone."""
    return Voice(tone(part, 1100, RATE_HZ).tobytes())


@BOTH
async def test_a_mark_is_told_when_the_packet_before_it_has_left(tmp_path: Path, workers: int) -> None:
    script: Script = {
        "open": [
            *(second(1.0), {"type": "mark", "name": "one"}),
            *(second(0.3), {"type": "mark", "name": "two"}, {"type": "mark", "name": "three"}),
            *(second(0.5), {"type": "mark", "name": "four"}),
        ]
    }
    async with (
        FakeBackend(script) as backend,
        running(tmp_path, plan(to("ai", ai(backend)), workers=workers)) as gateway,
    ):
        async with calling(f"ai@{gateway.address}") as phone:
            marks = await backend.sent("mark", 4)
            await asyncio.sleep(0.1)
        assert [mark["name"] for mark in marks] == ["one", "two", "three", "four"]
        assert not any(mark["cleared"] for mark in marks)
        speech = [packet.when for packet in phone.heard if packet.audible]
        told = backend.last.times_of("mark")
        for when, packets in zip(told, (50, 65, 65, 90), strict=True):
            assert abs(when - speech[packets - 1]) < NEAR, (when - speech[packets - 1], packets)
