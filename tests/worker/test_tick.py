"""The heartbeat: a real timerfd once, else a clock we turn ourselves."""

import asyncio
import time
from itertools import pairwise

import pytest

from sipgw.worker import tick
from sipgw.worker.tick import INTERVAL, Lateness, Ticker


async def collect(count: int) -> list[tuple[int, float, int]]:
    """The first ticks of a real ticker."""
    ticks: list[tuple[int, float, int]] = []
    done = asyncio.get_running_loop().create_future()

    def serve(number: int, now: float, missed: int) -> None:
        ticks.append((number, now, missed))
        if len(ticks) == count and not done.done():
            done.set_result(None)

    ticker = Ticker(serve, asyncio.get_running_loop(), time.monotonic)
    ticker.start()
    await asyncio.wait_for(done, 5)
    ticker.stop()
    return ticks


def check(ticks: list[tuple[int, float, int]]) -> None:
    """Numbers follow the clock, whatever was missed on a busy machine."""
    first_number, first_time, _ = ticks[0]
    for (before, _, _), (number, _, missed) in pairwise(ticks):
        assert number == before + 1 + missed
    last_number, last_time, _ = ticks[-1]
    assert last_time - first_time == pytest.approx((last_number - first_number) * INTERVAL, abs=0.05)


async def test_it_ticks_every_five_milliseconds() -> None:
    check(await collect(20))


async def test_without_a_timerfd_the_loops_timers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick, "_timerfd", lambda first: -1)
    check(await collect(20))


async def test_what_was_missed_is_told_and_not_replayed() -> None:
    ticks: list[tuple[int, int]] = []
    ticker = Ticker(lambda number, now, missed: ticks.append((number, missed)), asyncio.get_running_loop(), clock)
    for now in (0.005, 0.010, 0.060, 0.061, 0.065):
        Clock.now = now
        ticker._tick()
    assert ticks == [(0, 0), (1, 0), (11, 9), (12, 0)]
    assert ticker.lateness.missed == 9


class Clock:
    now = 0.0


def clock() -> float:
    return Clock.now


def test_lateness_is_a_histogram() -> None:
    lateness = Lateness()
    for late_ms in (0.1, 0.25, 3.0, 1000.0):
        lateness.add(late_ms, 0)
    assert lateness.buckets == [2, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert (lateness.ticks, lateness.sum_ms) == (4, 1003.35)
