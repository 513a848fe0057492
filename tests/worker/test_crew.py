"""The crew of worker processes: who starts when, and what is told where they do not live."""

import asyncio
import os
import time
from dataclasses import dataclass, field

import pytest

from sipgw.errors import Unavailable
from sipgw.options import MediaOptions
from sipgw.worker import crew as module
from sipgw.worker import messages as say
from sipgw.worker.child import Child, Telling
from sipgw.worker.crew import MANY_DEATHS, Crew
from sipgw.worker.folder import SocketFolder


@dataclass
class Owner:
    """Has no calls, and keeps what it is told."""

    told: list[Telling] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    deaths: int = 0

    def held(self, child: Child, held: say.Held, sockets: tuple[int, int]) -> None:
        raise AssertionError("nobody had calls")

    def filled(self, child: Child) -> None:
        pass

    def heard(self, child: Child, message: Telling) -> None:
        self.told.append(message)

    def died(self, child: Child) -> None:
        self.deaths += 1

    def alarm(self, name: str, detail: str) -> None:
        self.alarms.append(name)


def crew(owner: Owner, size: int = 1, **options: object) -> Crew:
    setup = say.Setup(MediaOptions(**options), {}, 10.0)  # type: ignore[arg-type]
    return Crew(size, SocketFolder(), setup, owner, owner.alarm)


async def test_workers_that_cannot_live_are_told_of_soon_and_started_ever_more_rarely() -> None:
    owner = Owner()
    made = crew(owner, codecs=("no such codec",))
    began = time.monotonic()
    with pytest.raises(Unavailable, match="do not start"):
        await made.start()
    assert time.monotonic() - began < 15
    assert owner.alarms.count("worker_died") >= MANY_DEATHS
    assert owner.alarms.count("workers_keep_dying") == 1
    assert made.least() is None
    await made.close()


async def test_a_worker_that_never_gets_ready_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_LIMIT", 0.0)
    owner = Owner()
    made = crew(owner)
    with pytest.raises(Unavailable):
        await made.start()
    async with asyncio.timeout(10):
        while not owner.deaths:
            await asyncio.sleep(0.02)
    await made.close()


async def test_a_worker_runs_at_real_time_priority_or_says_why_not() -> None:
    owner = Owner()
    made = crew(owner, realtime=True)
    await made.start()
    (child,) = filter(None, made.places)
    if os.sched_getscheduler(child.pid) != os.SCHED_RR | os.SCHED_RESET_ON_FORK:
        async with asyncio.timeout(5):
            while not any(isinstance(one, say.Logged) and "CAP_SYS_NICE" in one.text for one in owner.told):
                await asyncio.sleep(0.02)
    await made.close()
    assert owner.alarms == []


async def test_a_system_that_starts_no_process_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Child:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(Child, "start", refuse)
    monkeypatch.setattr(module, "START_LIMIT", 0.1)
    owner = Owner()
    made = crew(owner)
    with pytest.raises(Unavailable):
        await made.start()
    assert "worker_not_started" in owner.alarms
    await made.close()
