"""The ledger: what far ends know is written before they are told, and the next process goes on from there."""

import errno
import io
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sipgw.app.ledger import OLDEST, Changes, Ledger, Remembered
from sipgw.call import effects as do
from sipgw.call.registry import Calls
from sipgw.io.driver import Driver
from sipgw.options import SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import Invited
from tests.app.test_gateway import logger
from tests.fakes.control import Control as FakeControl
from tests.fakes.sip_phone import FLOW, Phone, tokens


class Process:
    """One control process as far as it concerns the journal; it is killed by being forgotten."""

    def __init__(self, folder: Path) -> None:
        changes = Changes()
        self.out = io.StringIO()
        self.agent = Agent(SipOptions(), token=tokens(), changed=changes.legs.add)
        self.fake = FakeControl()
        self.calls: Calls = self.fake.calls
        self.calls._changed = changes.calls.add
        self.ledger = Ledger(folder, self.agent, self.calls, changes, logger(self.out))
        self.sent: list[tuple[bytes, list[str]]] = []
        """What was sent, and the rows there were by then."""
        self.driver: Driver[Any] = Driver(
            self.agent, self._send, lambda event, now: None, before_send=self.ledger.write
        )
        self.left: Remembered = self.ledger.open(0.0)

    def _send(self, data: bytes, flow: object) -> None:
        self.sent.append((data.split(b"\r\n")[0], sorted(self.ledger._journal._rows)))


@pytest.fixture
def process(tmp_path: Path) -> Callable[[], Process]:
    return lambda: Process(tmp_path)


def answer(process: Process) -> str:
    """A call that is answered; its leg."""
    process.driver._on_event = lambda event, now: events.append(event)
    events: list[Any] = []
    process.driver.receive(Phone().invite().encode(), FLOW)
    (invited,) = events
    assert isinstance(invited, Invited)
    process.driver.run(lambda now: process.agent.answer(invited.leg, b"v=0\r\n", now))
    return invited.leg


async def test_a_leg_is_written_down_before_its_200_leaves(process: Callable[[], Process]) -> None:
    first = process()
    leg = answer(first)
    assert first.sent == [
        (b"SIP/2.0 100 Trying", []),
        (b"SIP/2.0 200 OK", [f"leg/{leg}"]),
    ]
    second = process()
    assert second.left.legs == {leg}
    assert second.agent.dialog(leg) is not None


async def test_a_call_stays_until_its_record_is_safe(process: Callable[[], Process]) -> None:
    first = process()
    phone = first.fake.invite().talks()
    first.ledger.write()
    phone.bye()
    phone.session_ended()
    first.ledger.write()
    (record,) = first.fake.records
    assert [one.call for one in process().left.calls] == [record.call]
    first.ledger.recorded(record.call)
    assert process().left.calls == []


async def test_a_call_that_rings_is_nothing_to_go_on_with(process: Callable[[], Process]) -> None:
    first = process()
    first.fake.invite()
    first.ledger.write()
    assert process().left == Remembered(written=0.0, old=True)


async def test_the_next_process_goes_on_with_the_call(process: Callable[[], Process]) -> None:
    first = process()
    first.fake.invite().talks()
    first.ledger.write()
    second = process()
    effects = second.calls.restore(second.left.calls, (), 0.0)
    assert [type(effect) for effect in effects if isinstance(effect, do.HangUp)] == [do.HangUp]


async def test_nobody_is_told_of_calls_of_long_ago(process: Callable[[], Process], tmp_path: Path) -> None:
    first = process()
    leg = answer(first)
    first.fake.invite().talks()
    first.ledger.write()
    for path in tmp_path.glob("journal-*"):
        os.utime(path, (0, time.time() - OLDEST - 10))
    second = process()
    assert second.left.old
    assert second.left.legs == set()
    assert second.agent.dialog(leg) is None
    assert len(second.left.calls) == 1, "its record is still to be closed"


async def test_a_row_that_cannot_be_read_costs_the_others_nothing(process: Callable[[], Process]) -> None:
    first = process()
    leg = answer(first)
    first.ledger._journal.put("leg/other", b"nonsense")
    first.ledger._journal.put("call/other", b"nonsense")
    second = process()
    assert second.left.legs == {leg}
    assert second.out.getvalue().count("journal row not readable") == 2
    assert "not readable" not in process().out.getvalue(), "it is told once"


async def test_a_torn_journal_is_told(process: Callable[[], Process], tmp_path: Path) -> None:
    answer(process())
    (path,) = tmp_path.glob("journal-*")
    os.truncate(path, path.stat().st_size - 1)
    assert "torn at byte" in process().out.getvalue()


async def test_a_name_that_is_no_text_is_mended(process: Callable[[], Process]) -> None:
    first = process()
    first.fake.invite().talks()
    call = first.calls._calls["n1-0001"]
    call.draft.caller = "J\udcfcrg"
    assert call._deeds._invitation is not None
    call._deeds._invitation = replace(call._deeds._invitation, headers={"X-Name": "J\udcfcrg"})
    first.ledger.write()
    (kept,) = process().left.calls
    assert (kept.noted.caller, kept.deeds.invitation.headers) == ("J?rg", {"X-Name": "J?rg"})


async def test_a_full_disk_is_told_once_and_costs_no_call(
    process: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = process()
    really = os.write

    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    leg = answer(first)
    first.fake.invite().talks()
    first.ledger.write()
    assert first.out.getvalue().count("journal not written") == 1
    monkeypatch.setattr(os, "write", really)
    first.fake.now += 1.0
    first.driver.run(lambda now: first.agent.hang_up(leg, now))
    first.ledger.recorded("somebody")
    first.driver.receive(Phone(to_tag=leg).request("OPTIONS", cseq=2, branch="z9hG4bK-ping").encode(), FLOW)
    assert leg in process().left.legs


async def test_it_leaves_nothing_where_nothing_is_up(process: Callable[[], Process], tmp_path: Path) -> None:
    first = process()
    leg = answer(first)
    first.driver.receive(Phone(to_tag=leg).ack().encode(), FLOW)
    first.driver.receive(Phone(to_tag=leg).bye().encode(), FLOW)
    first.ledger.close()
    assert list(tmp_path.glob("journal-*")) == []
