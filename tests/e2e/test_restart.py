"""Control is killed under calls: no far end is left up, and each call has one record."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.phone import Phone, calling
from tests.interop.gateway import Gateway, running

WITHIN = 8.0
"""Seconds in which everybody knows that it is over: one or two, unless the machine is busy."""


def control_of(gateway: Gateway) -> int:
    """The process that the supervisor watches over."""
    supervisor = gateway.process.pid
    (child,) = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return int(child)


def recorded(state: Path) -> list[tuple[str, str, float]]:
    """SIP Call-ID, cause and length of each call on record."""
    with contextlib.closing(sqlite3.connect(state / "records.db")) as database:
        try:
            rows = database.execute("SELECT sip_call_id, cause, seconds FROM calls").fetchall()
        except sqlite3.OperationalError:  # the tables are not made yet
            return []
        return [(call, cause, seconds) for call, cause, seconds in rows]


async def on_record(state: Path, count: int) -> list[tuple[str, str, float]]:
    """So many calls, waited for, and then no more."""
    async with asyncio.timeout(WITHIN):
        while len(recorded(state)) < count:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return recorded(state)


@contextlib.asynccontextmanager
async def crowd(gateway: Gateway, calls: int) -> AsyncIterator[list[Phone]]:
    """So many phones in a call each, a few set up at a time."""
    async with contextlib.AsyncExitStack() as stack:
        phones: list[Phone] = []
        while len(phones) < calls:
            few = (calling(f"tone@{gateway.address}") for _ in range(min(10, calls - len(phones))))
            phones += await asyncio.gather(*(stack.enter_async_context(one) for one in few))
        yield phones


def settings(state: Path, **more: Any) -> dict[str, Any]:
    return {"state": str(state), **more}


async def hear_that_it_is_over(phones: list[Phone]) -> None:
    """Each gets a BYE that says why."""
    await asyncio.gather(*(phone.ended(WITHIN) for phone in phones))
    assert Counter(phone.reason.partition(",")[0] for phone in phones) == {
        'Q.850;cause=41;text="gateway_restarted"': len(phones)
    }


@pytest.mark.parametrize("calls", [50, pytest.param(200, marks=pytest.mark.soak)])
async def test_calls_of_a_control_that_is_killed_end_with_a_bye_and_one_record(tmp_path: Path, calls: int) -> None:
    state = tmp_path / "state"
    async with running(tmp_path, settings(state), supervised=True) as gateway, crowd(gateway, calls) as phones:
        os.kill(control_of(gateway), signal.SIGKILL)
        await hear_that_it_is_over(phones)
        (died,) = await gateway.said("control died")
        assert died["how"] == "SIGKILL"
        found = await on_record(state, calls)
        assert Counter(cause for _, cause, _ in found) == {"gateway_restarted": calls}
        assert len({call for call, _, _ in found}) == calls
        # It is as good as new.
        async with calling(f"tone@{gateway.address}") as phone:
            await phone.hears(10)
    assert not list(state.glob("journal-*"))


async def test_calls_of_a_gateway_that_was_killed_as_a_whole_end_with_its_next_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running(tmp_path, settings(state), ends=-signal.SIGKILL, supervised=True) as gateway:
        sip = {"host": "127.0.0.1", "port": gateway.port}
        async with crowd(gateway, 5) as phones:
            control = control_of(gateway)
            gateway.process.kill()
            os.kill(control, signal.SIGKILL)
            await gateway.process.wait()
            async with running(tmp_path, settings(state, sip=sip)):
                await hear_that_it_is_over(phones)
                found = await on_record(state, 5)
    assert [cause for _, cause, _ in found] == ["gateway_restarted"] * 5


async def test_control_lets_its_calls_finish_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path, supervised=True, ends=-signal.SIGKILL) as gateway:
        control = control_of(gateway)
        async with calling(f"tone@{gateway.address}") as phone:
            gateway.process.kill()
            await asyncio.sleep(0.3)
            async with calling(f"tone@{gateway.address}") as late:
                assert late.status == 503
            assert phone.up
            await phone.hears(10, since=phone.now)
        await gateway.said("stopped")
        async with asyncio.timeout(WITHIN):
            while Path(f"/proc/{control}").exists():
                await asyncio.sleep(0.02)


async def test_a_control_killed_while_it_drains_ends_its_calls_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path, supervised=True) as gateway, calling(f"tone@{gateway.address}") as phone:
        gateway.process.terminate()
        await asyncio.sleep(0.2)
        os.kill(control_of(gateway), signal.SIGKILL)
        await hear_that_it_is_over([phone])
        await gateway.said("stopped")


async def test_requests_of_calls_that_are_over_get_481(tmp_path: Path) -> None:
    """The far end hangs up at the very moment; one of the two BYEs comes too late, and hurts nobody."""
    async with running(tmp_path, supervised=True) as gateway, calling(f"tone@{gateway.address}") as phone:
        os.kill(control_of(gateway), signal.SIGKILL)
        await phone.hang_up()
        (ended,) = await gateway.said("call ended")
        assert ended["cause"] in ("normal", "gateway_restarted")
