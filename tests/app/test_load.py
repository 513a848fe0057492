"""How busy the node is: measured on a real loop, once a second."""

import asyncio
import time
from dataclasses import dataclass, field

from sipgw.app.load import LoadWatch
from sipgw.call.pressure import Load
from sipgw.worker.tick import Lateness


class Clock:
    """A clock that can be put forward: to the watch, the loop has then been busy for so long."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@dataclass
class Worker:
    """What is looked at of a media worker."""

    lateness: Lateness = field(default_factory=Lateness)


async def watched(seconds: float, clock: Clock, *, pauses: tuple[float, ...] = ()) -> list[Load]:
    told: list[Load] = []
    watch = LoadWatch(dict, told.append, clock)
    watch.start()
    for pause in pauses:
        await asyncio.sleep(0.12)
        clock.ahead += pause
    await asyncio.sleep(seconds)
    watch.stop()
    count = len(told)
    await asyncio.sleep(0.1)
    assert len(told) == count
    assert sum(watch.lag.buckets) == watch.lag.ticks
    assert watch.lag.sum_ms >= 1000 * sum(pauses) - 100
    return told


async def test_the_worst_lag_of_each_second_is_told() -> None:
    told = await watched(1.2, Clock(), pauses=(0.3, 0.5))
    assert 400 <= told[0].lag_ms < 700
    assert told[1].lag_ms < 300, "what was told is forgotten"


async def test_the_ticks_of_each_second_are_told_by_the_average_of_the_worst_worker() -> None:
    workers = {"0": Worker(), "1": Worker()}
    workers["0"].lateness.add(90.0, 17)  # before
    told: list[Load] = []
    clock = Clock()
    watch = LoadWatch(lambda: workers, told.append, clock)

    async def a_second(**late_ms: tuple[float, ...]) -> float:
        for place, each in late_ms.items():
            for late in each:
                workers[place.removeprefix("of_")].lateness.add(late, 3)
        clock.ahead += 1.0
        await asyncio.sleep(0.2)
        return told[-1].late_ms

    watch.start()
    assert await a_second(of_0=(10.0, 20.0, 30.0), of_1=(1.0,)) == 20.0
    assert await a_second() == 0.0
    assert await a_second(of_1=(7.0, 9.0)) == 8.0
    # Another takes the place of the first, which is gone with its counts.
    workers["0"] = Worker()
    workers["2"] = Worker()
    assert await a_second(of_0=(4.0,), of_2=(2.0,)) == 4.0
    watch.stop()
