"""Many calls at once: everyone hears what is meant for them, and nothing of the others."""

import asyncio
from pathlib import Path

import numpy as np

from tests.e2e.phone import calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running

TONES_HZ = tuple(range(500, 2900, 200))
SECONDS = 1.5


async def talks_to_itself(gateway: Gateway, own_hz: int) -> None:
    """One caller with its own tone, which its AI repeats."""
    async with calling(f"echo@{gateway.address}") as phone:
        phone.say(tone(SECONDS + 0.5, own_hz))
        await asyncio.sleep(SECONDS)
        heard = phone.sound()[-4000:]
        assert level_at(heard, own_hz) > 8000
        for other_hz in TONES_HZ:
            # Coded twice, a tone has harmonics 40 dB down.
            assert other_hz == own_hz or level_at(heard, other_hz) < 200, (own_hz, other_hz)
        sent = [packet.when for packet in phone.heard]
        assert abs(len(sent) - (sent[-1] - sent[0]) / 0.02) < 2, "one packet every 20 ms"
        assert set(np.diff([packet.sequence for packet in phone.heard]) % 65_536) == {1}


@BOTH
async def test_calls_do_not_hear_each_other(tmp_path: Path, workers: int) -> None:
    async with (
        FakeBackend(echo=True) as backend,
        running(tmp_path, plan(to("*", ai(backend, live=True, barge_in="off")), workers=workers)) as gateway,
    ):
        await asyncio.gather(*(talks_to_itself(gateway, hz) for hz in TONES_HZ))
        ended = await gateway.said("call ended", len(TONES_HZ))
    assert sum(line["lost_packets"] for line in ended) == 0
    assert {line["cause"] for line in ended} == {"normal"}
