"""Workers die, get stuck, and are found again; their calls go on."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from sipgw.ai.events import Open, Ready
from sipgw.media import plane
from sipgw.media.continuing import AHEAD
from sipgw.worker.child import Child
from sipgw.worker.processes import ProcessPlane
from tests.fakes.rtp_phone import SILENCE, Heard, RtpPhone
from tests.worker.planes import Control, control, session

SOON = 10.0
"""Seconds in which anything here happens, on a machine that is busy with other things."""


def processes(made: Control) -> ProcessPlane:
    assert isinstance(made.plane, ProcessPlane)
    return made.plane


def worker(made: Control, place: str = "0") -> Child:
    return processes(made).workers[place]


async def spare(made: Control) -> Child:
    """The spare, once it is ready."""
    crew = processes(made).crew
    async with asyncio.timeout(SOON):
        while crew.spare is None:
            await asyncio.sleep(0.01)
    return crew.spare


async def replaced(made: Control, before: Child) -> Child:
    """The worker that took the place of another."""
    async with asyncio.timeout(SOON):
        while (now := processes(made).workers.get("0")) in (None, before):
            await asyncio.sleep(0.01)
    assert now is not None
    return now


async def goes_on(phone: RtpPhone, packets: int = 20) -> None:
    """So many more packets come."""
    await phone.until(len(phone.heard) + packets, within=SOON)


@contextlib.asynccontextmanager
async def talking(made: Control, name: str = "s1") -> AsyncIterator[tuple[RtpPhone, tuple[str, int]]]:
    """A session with a tone on it that has begun."""
    async with session(made, name) as (phone, at):
        made.connect("tone", session=name)
        made.plane.command(plane.StartSession(name))
        made.plane.command(plane.Tell(name, Open()))
        phone.send(at, SILENCE)
        await made.told(plane.FirstPacket, name)
        await phone.until(10)
        yield phone, at


def one_stream(heard: list[Heard]) -> list[int]:
    """How far sequence numbers and timestamps jumped, where they did; every SSRC is the same, nothing goes back."""
    assert len({packet.ssrc for packet in heard}) == 1
    jumps = []
    for before, after in pairwise(heard):
        steps = (after.sequence - before.sequence) & 0xFFFF
        assert 0 < steps < 3000
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == steps * 160
        jumps += [steps] if steps > 1 else []
    return jumps


def longest_gap(heard: list[Heard]) -> float:
    return max(after.when - before.when for before, after in pairwise(heard))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_calls_of_a_worker_that_dies_or_is_stuck_go_on_in_the_spare(number: signal.Signals) -> None:
    async with control(1) as made, talking(made) as (phone, at), talking(made, "s2") as (other, _):
        await spare(made)
        first = worker(made)
        os.kill(first.pid, number)
        second = await replaced(made, first)
        for each in (phone, other):
            await goes_on(each)
            (jump,) = one_stream(each.heard)
            assert AHEAD < jump < AHEAD + 300
            assert each.heard[-1].payload != SILENCE, "the tone is back"
        assert second.sessions == 2
        # The far end's packets reach it, and it has heard of no other.
        await phone.talk(at, SILENCE * 10)
        made.plane.command(plane.DestroySession("s1"))
        stats = (await made.told(plane.SessionEnded)).stats
        assert stats.received_packets == pytest.approx(11, abs=1)
        assert stats.sent_packets == pytest.approx(len(phone.heard), abs=10)
        reports = [event.report for event in made.events if isinstance(event, plane.Reported)]
        assert sum(isinstance(report, Ready) for report in reports) == 2, "to the call, its backend was ready all along"
        assert sum(isinstance(event, plane.FirstPacket) for event in made.events) == 2
        assert made.alarms == ["worker_died"]
        if number == signal.SIGKILL:
            assert longest_gap(phone.heard) < 1.0
