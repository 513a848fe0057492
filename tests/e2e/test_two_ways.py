"""Who hears whom: each party its own tone, and each hears the other's and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from tests.e2e import pjsip
from tests.e2e.plan import ai, plan, to
from tests.e2e.sound import Pcm, level_at, tone
from tests.fakes.backend import FakeBackend, Voice
from tests.interop.gateway import running

pytestmark = pytest.mark.interop

RATE_HZ = 24_000
CALLER_HZ, AI_HZ = 700, 1100
KEYS = {"0": (941, 1336), "#": (941, 1477)}
"""And the two frequencies each would have as sound (ITU-T Q.23)."""


def loudest(pcm: Pcm, hz: float, rate_hz: int) -> float:
    """The highest level at a frequency in any tenth of a second, on the scale of samples."""
    size = rate_hz // 10
    window = np.hanning(size) * 2
    parts = [pcm[at : at + size] for at in range(0, len(pcm) - size, size // 2)]
    return max(level_at((part * window).astype(np.int16), hz, rate_hz) for part in parts)


async def test_each_hears_the_other_and_keys_are_told_but_not_heard(tmp_path: Path) -> None:
    script = {"open": [Voice(tone(6, AI_HZ, RATE_HZ).tobytes())]}
    async with FakeBackend(script) as backend, running(tmp_path, plan(to("ai", ai(backend)))) as gateway:
        keys = [[key, 1.2 + place] for place, key in enumerate(KEYS)]
        caller = tone(6, CALLER_HZ)
        heard = await pjsip.call(f"ai@{gateway.address}", caller, 4, tmp_path, dtmf=keys)
        await backend.sent("end")
        ended = (await gateway.said("call ended"))[0]
    talk = backend.last
    assert [message["digit"] for message in talk.of("dtmf")] == list(KEYS)
    assert (ended["digits"], ended["lost_packets"]) == (len(KEYS), 0)
    # The caller hears the AI, and not itself.
    middle = heard[4000:-4000]
    assert level_at(middle, AI_HZ) > 8000
    assert loudest(middle, CALLER_HZ, 8000) < 100
    # The AI hears the caller, not itself, and no keys.
    said = np.frombuffer(bytes(talk.audio), np.int16)
    assert level_at(said[RATE_HZ // 2 : RATE_HZ], CALLER_HZ, RATE_HZ) > 8000
    assert loudest(said, AI_HZ, RATE_HZ) < 100
    for frequencies in KEYS.values():
        for hz in frequencies:
            assert loudest(said, hz, RATE_HZ) < 200, hz
    # Its time line has no gap and no surplus.
    elapsed = talk.times_of("end")[0] - talk.times_of("open")[0]
    assert abs(len(said) / RATE_HZ - elapsed) < 0.06
