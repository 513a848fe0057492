"""Reloading: who gets what, what needs a restart, and that a mistake changes nothing."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sipgw.app.reload import Reloading
from sipgw.settings import Examined, Problem, Settings, SettingsError, examine

PLAN: dict[str, Any] = {
    "backends": {"demo": {"dialect": "demo"}},
    "routes": [{"targets": ["demo"], "anyone": True}],
}


def settings(**more: Any) -> Settings:
    return Settings.model_validate(PLAN | more)


class Parts:
    """A gateway of two parts: one takes `calls` and `routes`, the other `log.level`."""

    def __init__(self) -> None:
        self.next = Examined(settings())
        self.reads: Callable[[], Examined] = lambda: self.next
        self.calls: list[Settings] = []
        self.level: list[str] = []
        self.reloading = Reloading(settings(), self._read)
        self.reloading.takes("calls", "routes", take=self.calls.append)
        self.reloading.takes("log.level", take=lambda taken: self.level.append(taken.log.level))

    def _read(self) -> Examined:
        return self.reads()


async def test_what_changed_is_handed_to_whoever_takes_it() -> None:
    parts = Parts()
    parts.next = Examined(settings(calls={"max_calls": 5}, log={"level": "debug"}))
    outcome = await parts.reloading.reload()
    assert (outcome.good, outcome.taken, outcome.restart) == (True, ("calls.max_calls", "log.level"), ())
    assert [taken.calls.max_calls for taken in parts.calls] == [5]
    assert parts.level == ["debug"]
    again = await parts.reloading.reload()
    assert again.changed == ()


async def test_what_nobody_takes_needs_a_restart_until_it_is_as_at_the_start() -> None:
    parts = Parts()
    parts.next = Examined(settings(sip={"port": 5070}, log={"format": "json"}, routes=[*PLAN["routes"]] * 2))
    outcome = await parts.reloading.reload()
    assert outcome.taken == ("routes",)
    assert outcome.restart == ("sip.port", "log.format")
    assert outcome.changed == ("routes", "sip.port", "log.format")
    assert (await parts.reloading.reload()).restart == ("sip.port", "log.format")
    parts.next = Examined(settings())
    outcome = await parts.reloading.reload()
    assert (outcome.taken, outcome.restart) == (("routes",), ())


async def test_a_mistake_changes_nothing_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("calls: {max_cals: 5}\nlog: {level: debug}\nbackends: {demo: {dialect: demo}}\nroutes: []\n")
    taken: list[Settings] = []
    reloading = Reloading(settings(), lambda: examine(path, {}))
    reloading.takes("calls", take=taken.append)
    outcome = await reloading.reload()
    assert not outcome.good
    assert [str(problem) for problem in outcome.problems] == [
        f"{path}:1: calls.max_cals: unknown key; did you mean max_calls?"
    ]
    assert (outcome.changed, taken) == ((), [])
    path.unlink()
    assert "No such file" in str((await reloading.reload()).problems[0])


async def test_what_should_be_thought_about_is_passed_on() -> None:
    parts = Parts()
    warning = Problem("x.yaml", 1, "routes[0].anyone", "whoever reaches it may call")
    parts.next = Examined(settings(), (warning,))
    assert (await parts.reloading.reload()).warnings == (warning,)


async def test_reading_takes_no_time_from_the_loop_and_is_done_by_one_at_a_time() -> None:
    parts = Parts()
    reading = 0
    most = 0

    def slow() -> Examined:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        time.sleep(0.05)
        reading -= 1
        return parts.next

    parts.reads = slow
    reloads = asyncio.gather(*(parts.reloading.reload() for _ in range(3)))
    turns = 0
    while not reloads.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert most == 1
    assert turns > 20


async def test_a_part_that_fails_is_asked_again_next_time() -> None:
    parts = Parts()
    failing = True

    def take(taken: Settings) -> None:
        if failing:
            raise RuntimeError("a defect")

    parts.reloading.takes("node", take=take)
    parts.next = Examined(settings(node="n2"))
    with pytest.raises(RuntimeError):
        await parts.reloading.reload()
    failing = False
    assert (await parts.reloading.reload()).taken == ("node",)


async def test_after_a_configuration_that_could_not_be_read_comes_the_next() -> None:
    parts = Parts()
    problem = Problem("x.yaml", None, "", "cannot be read: Permission denied")

    def unreadable() -> Examined:
        raise SettingsError([problem])

    parts.reads = unreadable
    assert (await parts.reloading.reload()).problems == (problem,)
    parts.reads = lambda: Examined(settings(log={"level": "debug"}))
    assert (await parts.reloading.reload()).taken == ("log.level",)
