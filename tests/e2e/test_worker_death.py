"""A media worker is killed, or stops, under calls that all carry a tone: every one of them goes on."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.phone import Phone, calling
from tests.e2e.plan import ai, plan, to
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import FakeBackend, Voice
from tests.interop.gateway import Gateway, running

TONE_HZ = 440
"""Of the built-in `tone`; the AI over a socket has the same."""
VOICE = Voice(tone(6.0, TONE_HZ, 24_000).tobytes())
SOCKETS = 5
"""Calls in ten whose AI is at the end of a socket."""


def workers_of(gateway: Gateway) -> list[int]:
    """Its worker processes, the one with the most open files, which is to say calls, first."""
    listed = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()
    workers = [int(pid) for pid in listed if b"sipgw.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return sorted(workers, key=lambda pid: len(os.listdir(f"/proc/{pid}/fd")), reverse=True)


async def spare_of(gateway: Gateway) -> None:
    """Wait for a second worker, and until it is ready: then it listens to nothing but its timer."""
    async with asyncio.timeout(15):
        while len(workers_of(gateway)) < 2:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)


def gap(phone: Phone) -> float:
    """The longest time between two packets, as the kernel has it."""
    return max(after.when - before.when for before, after in pairwise(phone.heard))


def back(phone: Phone, since: float) -> float:
    """How long after `since` the AI was heard again: from the first packet of sound behind the jump."""
    jump = next(i for i, (a, b) in enumerate(pairwise(phone.heard), 1) if (b.sequence - a.sequence) & 0xFFFF > 60)
    return next(packet.when for packet in phone.heard[jump:] if packet.audible) - since


def is_one_stream(phone: Phone) -> None:
    """One SSRC, and numbers that only ever go ahead; timestamps with them, and over ticks that were missed."""
    assert len({packet.ssrc for packet in phone.heard}) == 1
    for before, after in pairwise(phone.heard):
        steps = (after.sequence - before.sequence) & 0xFFFF
        assert 0 < steps < 500
        assert 160 * steps <= (after.timestamp - before.timestamp) & 0xFFFFFFFF < 160 * (steps + 100)


async def lose_a_worker(folder: Path, calls: int, number: signal.Signals) -> tuple[list[float], list[float]]:
    """Have calls, take their worker away, and see all of them go on to a proper end; gaps and silences of the AI."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(FakeBackend({"open": [VOICE]}))
        ways = to("tone", {"dialect": "tone", "settings": {"frequency_hz": TONE_HZ}}), to("ai", ai(backend))
        gateway = await stack.enter_async_context(running(folder, plan(*ways, workers=1)))
        await spare_of(gateway)
        phones = []
        for count in range(calls):
            number_called = "ai" if count % 10 < SOCKETS else "tone"
            call = calling(f"{number_called}@{gateway.address}", speaks=count % 5 == 0)
            phones.append(await stack.enter_async_context(call))
        for phone in phones:
            await phone.hears()
        killed = phones[0].now
        os.kill(workers_of(gateway)[0], number)
        for phone in phones:
            await phone.hears(25, since=killed + (2.5 if number == signal.SIGSTOP else 0.5))
        for phone in phones:
            assert phone.up
            is_one_stream(phone)
            recent = np.concatenate([packet.pcm for packet in phone.heard[-20:]])
            assert level_at(recent, TONE_HZ) > 1000
        resumed = [each.of("start")[0]["resumed"] for each in backend.conversations]
        carried = sum(count % 10 < SOCKETS for count in range(calls))
        assert (resumed.count(False), resumed.count(True)) == (carried, carried)
        gaps, silences = [gap(phone) for phone in phones], [back(phone, killed) for phone in phones]
        for phone in phones:
            await phone.hang_up()
        ended = await gateway.said("call ended", calls)
        assert {line["cause"] for line in ended} == {"normal"}
        assert {line["hung_up_by"] for line in ended} == {"caller"}
        assert min(line["sent_packets"] for line in ended) > 50
        (alarm,) = await gateway.said("alarm")
        assert alarm["name"] == "worker_died"
        assert f"it had {calls} calls" in alarm["detail"]
    return gaps, silences


@pytest.mark.parametrize("calls", [50, pytest.param(200, marks=pytest.mark.soak)])
async def test_calls_go_on_when_their_worker_is_killed(tmp_path: Path, calls: int) -> None:
    gaps, silences = await lose_a_worker(tmp_path, calls, signal.SIGKILL)
    print(f"{calls} calls: RTP again after {max(gaps):.3f} s, the AI after {max(silences):.3f} s")
    assert max(gaps) < 1.0
    assert max(silences) < 3.0


async def test_calls_go_on_when_their_worker_is_stuck(tmp_path: Path) -> None:
    gaps, silences = await lose_a_worker(tmp_path, 10, signal.SIGSTOP)
    print(f"RTP again after {max(gaps):.3f} s, the AI after {max(silences):.3f} s")
    assert 2.0 < max(gaps) < 2.0 + 1.0, "two seconds are waited for, a second is allowed"
    assert max(silences) < 2.0 + 3.0
