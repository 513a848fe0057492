"""Control is killed under calls: no far end is left up, and each call has one record."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.phone import Phone, calling
from tests.e2e.plan import ai, plan, to
from tests.e2e.sound import tone
from tests.fakes.backend import FakeBackend
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


@pytest.mark.parametrize("calls", [50, pytest.param(200, marks=pytest.mark.soak)])
async def test_calls_with_workers_of_their_own_go_on_and_nobody_notices(tmp_path: Path, calls: int) -> None:
    state = tmp_path / "state"
    workers = settings(state, workers=1)
    async with running(tmp_path, workers, supervised=True) as gateway, crowd(gateway, calls) as phones:
        os.kill(control_of(gateway), signal.SIGKILL)
        (alarm,) = [line for line in await gateway.said("alarm") if line["name"] == "gateway_restarted"]
        assert alarm["detail"] == f"{calls} calls go on, 0 ended"
        back = phones[0].now
        await asyncio.sleep(1.0)
        # The tone goes on, in one stream of packets without a gap.
        for phone in phones:
            assert phone.up
            assert len(phone.since(back)) > 25
            assert any(packet.audible for packet in phone.heard[-10:])
            assert {after.sequence - before.sequence for before, after in pairwise(phone.heard)} <= {1, -65_535}
            assert max(after.when - before.when for before, after in pairwise(phone.heard)) < 0.5
        # Held and resumed, and hung up from either side, as if nothing had been.
        await phones[0].reinvite("sendonly")
        await phones[0].reinvite("sendrecv")
        await asyncio.gather(*(phone.hang_up() for phone in phones[: calls // 2]))
        gateway.process.terminate()
        found = await on_record(state, calls // 2)
        assert Counter(cause for _, cause, _ in found) == {"normal": calls // 2}
        gateway.process.terminate()
        await asyncio.gather(*(phone.ended(WITHIN) for phone in phones))
        assert 'text="shutdown"' in phones[-1].reason
        await gateway.said("stopped")
    found = recorded(state)
    assert Counter(cause for _, cause, _ in found) == {"normal": calls // 2, "shutdown": calls // 2}
    assert len({call for call, _, _ in found}) == calls
    assert not list(state.glob("journal-*"))


async def test_the_conversation_goes_on_and_the_record_has_all_of_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with (
        FakeBackend(echo=True) as backend,
        running(tmp_path, plan(to("*", ai(backend)), **settings(state, workers=1)), supervised=True) as gateway,
        calling(f"echo@{gateway.address}") as phone,
    ):
        phone.press("5")
        await asyncio.sleep(1.0)
        os.kill(control_of(gateway), signal.SIGKILL)
        await gateway.said("alarm")
        phone.press("6")
        phone.say(tone(1.0, 700))
        await phone.hears(25, since=phone.now)
        assert len(backend.conversations) == 1, "its connection was never lost"
        assert [one["digit"] for one in backend.last.of("dtmf")] == ["5", "6"]
        await phone.hang_up()
        (ended,) = await gateway.said("call ended")
    assert (ended["cause"], ended["digits"], ended["target"]) == ("normal", 2, "*-0")
    assert ended["seconds"] == pytest.approx(phone.ended_at - phone.answered_at, abs=1.0)
    assert ended["received_packets"] > 100
    assert [cause for _, cause, _ in recorded(state)] == ["normal"]


async def test_a_call_that_is_hung_up_while_nobody_listens_ends_a_moment_later(tmp_path: Path) -> None:
    state = tmp_path / "state"
    workers = settings(state, workers=1)
    async with running(tmp_path, workers, supervised=True) as gateway, calling(f"tone@{gateway.address}") as phone:
        os.kill(control_of(gateway), signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await phone.hang_up()  # repeated until somebody answers
        await phone.ended(20.0)
        (ended,) = await gateway.said("call ended")
        assert ended["cause"] == "normal"


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


async def test_calls_outlive_even_a_gateway_that_was_killed_as_a_whole(tmp_path: Path) -> None:
    """Its workers wait ten seconds for the next one."""
    workers = settings(tmp_path / "state", workers=1)
    async with running(tmp_path, workers, ends=-signal.SIGKILL, supervised=True) as gateway:
        sip = {"host": "127.0.0.1", "port": gateway.port}
        async with calling(f"tone@{gateway.address}") as phone:
            control = control_of(gateway)
            gateway.process.kill()
            os.kill(control, signal.SIGKILL)
            async with running(tmp_path, {**workers, "sip": sip}) as another:
                await phone.hears(10, since=phone.now)
                await phone.hang_up()
                (ended,) = await another.said("call ended")
    assert ended["cause"] == "normal"


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
