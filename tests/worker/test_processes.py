"""Workers die, get stuck, and are found again; their calls go on."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from sipgw.ai.events import Failed, Open, Ready, Transcript
from sipgw.media import plane
from sipgw.media.continuing import AHEAD
from sipgw.worker.child import Child
from sipgw.worker.processes import ProcessPlane
from tests.fakes.backend import FakeBackend, Script, Voice
from tests.fakes.rtp_phone import SILENCE, Heard, RtpPhone
from tests.worker.planes import PROMPT, Control, control, session

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
    """How far sequence numbers jumped, where they did; every SSRC is the same, and nothing goes back.

    On a machine that is busy ticks are missed: then timestamps go on, with the marker, and sequence numbers do not.
    """
    assert len({packet.ssrc for packet in heard}) == 1
    jumps = []
    for before, after in pairwise(heard):
        steps = (after.sequence - before.sequence) & 0xFFFF
        assert 0 < steps < 3000
        passed = (after.timestamp - before.timestamp) & 0xFFFFFFFF
        assert passed == steps * 160 or (after.marker and steps * 160 < passed < 3000 * 160)
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


async def test_a_backend_is_told_that_it_resumes_and_speaks_again() -> None:
    voice = Voice(PROMPT * 10)
    script: Script = {"open": [{"type": "transcript", "who": "agent", "text": "Good day."}, voice]}
    async with FakeBackend(script) as backend, control(1) as made, session(made) as (phone, at):
        made.connect("sipgw", backend.url)
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Tell("s1", Open()))
        await made.report(Transcript)
        await phone.until(20)
        await spare(made)
        killed = time.monotonic()
        os.kill(worker(made).pid, signal.SIGKILL)
        await backend.until(lambda: len(backend.conversations) == 2 and bool(backend.last.of("open")), SOON)
        assert backend.last.of("start")[0]["resumed"] is True
        before = len(phone.heard)
        async with asyncio.timeout(SOON):
            while not any(packet.payload != SILENCE for packet in phone.heard[before:]):
                await asyncio.sleep(0.01)
        assert time.monotonic() - killed < 3.0
        assert [event.report for event in made.events if isinstance(event, plane.Reported)].count(Ready()) == 1
        await phone.talk(at, SILENCE * 20)
        await backend.until(lambda: len(backend.last.audio) > 960 * 5, SOON)


async def test_a_backend_that_cannot_be_reached_again_is_a_failure_of_the_same_attempt() -> None:
    async with control(1) as made, session(made) as (phone, _):
        async with FakeBackend() as backend:
            made.connect("sipgw", backend.url, attempt=3)
            made.plane.command(plane.StartSession("s1"))
            made.plane.command(plane.Tell("s1", Open()))
            await made.report(Ready, attempt=3)
            await spare(made)
            os.kill(worker(made).pid, signal.SIGSTOP)  # so that it does not hear it go
        os.kill(worker(made).pid, signal.SIGKILL)
        assert (await made.report(Failed, attempt=3)).reason == "connection_refused"
        await goes_on(phone)


async def test_a_prompt_is_played_again_and_keys_that_did_not_leave_are_told() -> None:
    async with control(1) as made, session(made) as (phone, _):
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Play("s1", "apology", 7, repeat=True))
        made.plane.command(plane.SendDigits("s1", "1" * 40))
        await phone.until(5)
        await spare(made)
        os.kill(worker(made).pid, signal.SIGKILL)
        unsent = await made.told(plane.DigitsSent)
        assert (unsent.count, unsent.complete) == (40, False)
        before = len(phone.heard)
        await goes_on(phone)
        assert any(packet.payload != SILENCE for packet in phone.heard[before + 5 :])
        made.plane.command(plane.StopPlaying("s1"))
        assert (await made.told(plane.Played)).play == 7


async def test_workers_that_have_nothing_to_do_are_replaced_too() -> None:
    async with control(1) as made:
        first, second = worker(made), await spare(made)
        os.kill(second.pid, signal.SIGKILL)
        async with asyncio.timeout(SOON):
            while processes(made).crew.spare in (None, second):
                await asyncio.sleep(0.01)
        assert worker(made) is first
        third = await spare(made)
        os.kill(first.pid, signal.SIGKILL)
        assert await replaced(made, first) is third
        async with talking(made) as (phone, _):
            await goes_on(phone)
        assert made.alarms == ["worker_died", "worker_died"]


async def test_a_call_that_begins_or_ends_while_there_is_no_worker_is_served_by_the_next() -> None:
    async with control(1) as made, talking(made, "old") as (_, _), talking(made, "kept") as (kept, _):
        first, second = worker(made), await spare(made)
        for each in (first, second):
            os.kill(each.pid, signal.SIGKILL)
        async with asyncio.timeout(SOON):
            while processes(made).workers:
                await asyncio.sleep(0.001)
        made.plane.command(plane.DestroySession("old"))
        ended = await made.told(plane.SessionEnded, "old")
        assert ended.stats.sent_packets >= 10, "its worker's table still says so"
        async with talking(made, "new") as (phone, _):
            await goes_on(phone)
        await goes_on(kept)
        (jump,) = one_stream(kept.heard)
        assert jump > AHEAD


async def test_two_that_die_in_a_row_cost_no_call_and_a_third_costs_those_it_had() -> None:
    async with control(1) as made, talking(made) as (phone, _):
        for deaths in (1, 2):
            await spare(made)
            before = worker(made)
            os.kill(before.pid, signal.SIGKILL)
            await replaced(made, before)
            await goes_on(phone)
            assert len(one_stream(phone.heard)) == deaths
        await spare(made)
        os.kill(worker(made).pid, signal.SIGKILL)
        assert "lost 3 media workers" in (await made.told(plane.SessionFailed)).reason


async def test_calls_go_to_the_worker_that_has_least_to_do() -> None:
    async with control(2) as made, contextlib.AsyncExitStack() as stack:
        for number in range(4):
            await stack.enter_async_context(session(made, f"s{number}"))
        assert [each.sessions for each in processes(made).workers.values()] == [2, 2]
        made.plane.command(plane.DestroySession("s0"))
        await made.told(plane.SessionEnded, "s0")
        await stack.enter_async_context(session(made, "s4"))
        assert [each.sessions for each in processes(made).workers.values()] == [2, 2]


async def test_what_workers_count_and_say_is_seen_in_control() -> None:
    dropped: Counter[tuple[str, str]] = Counter()

    def count(layer: str, reason: str, number: int) -> None:
        dropped[layer, reason] += number

    async with control(1, dropped=count) as made, talking(made):
        made.plane.command(plane.Play("s1", "no such"))
        async with asyncio.timeout(SOON):
            while not (dropped and worker(made).lateness.ticks):
                await asyncio.sleep(0.01)
        assert dropped == {("worker", "unknown_prompt"): 1}
        assert "unknown_prompt" in made.drops()
        assert sum(worker(made).lateness.buckets) == worker(made).lateness.ticks


async def test_a_message_of_any_length_reaches_the_worker() -> None:
    async with control(1) as made, session(made), FakeBackend() as backend:
        parameters = {"book": "x" * 1_000_000}
        made.connect("sipgw", backend.url, settings={"parameters": parameters})
        await backend.sent("start")
        assert backend.last.of("start")[0]["parameters"] == parameters
