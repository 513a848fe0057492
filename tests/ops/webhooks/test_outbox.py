"""What is kept on disk, what is due, and what commands see of it."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipgw.errors import Unavailable
from sipgw.ops.webhooks.outbox import FILE, Message, Outbox, Waiting

MOST = {"crm": 10, "log": 10}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / FILE)
    yield opened
    opened.close()


def message(name: str, call: str = "", made: float = 0.0) -> Message:
    return Message(name, "call.started", call, made, b"{}")


def due(outbox: Outbox, now: float, most: int = 10, endpoint: str = "crm") -> list[str]:
    return [delivery.id for delivery in outbox.due(endpoint, now, most)]


def test_of_each_call_the_oldest_is_due_and_alarms_are_by_themselves(outbox: Outbox) -> None:
    sent = [message("a1", "a"), message("b1", "b"), message("a2", "a"), message("x"), message("y")]
    outbox.add([("crm", one) for one in sent], MOST)
    assert due(outbox, 1.0) == ["a1", "b1", "x", "y"]
    assert due(outbox, 1.0, most=2) == ["a1", "b1"]
    assert due(outbox, 1.0, endpoint="log") == []
    first = outbox.due("crm", 1.0, 1)[0]
    outbox.delivered(first.place)
    assert due(outbox, 1.0) == ["b1", "a2", "x", "y"]


def test_one_that_failed_holds_its_own_call_up_and_no_other(outbox: Outbox) -> None:
    outbox.add([("crm", message("a1", "a")), ("crm", message("a2", "a")), ("crm", message("b1", "b"))], MOST)
    outbox.again(outbox.due("crm", 1.0, 1)[0].place, 9.0, "timeout")
    assert due(outbox, 1.0) == ["b1"]
    assert outbox.next_due("crm", 1.0) == 9.0
    assert due(outbox, 9.0) == ["b1", "a1"]
    assert [one.attempts for one in outbox.due("crm", 9.0, 9)] == [0, 1]


def test_there_is_room_for_so_many_and_the_rest_is_counted(outbox: Outbox) -> None:
    many = [("crm", message(str(n), str(n))) for n in range(12)]
    assert outbox.add([*many, ("log", message("l"))], MOST) == {"crm": 2}
    assert outbox.add([("crm", message("one more"))], MOST) == {"crm": 1}
    assert outbox.add([("gone", message("to nobody"))], MOST) == {"gone": 1}


def test_what_is_too_old_is_given_up_and_can_be_asked_for_again(outbox: Outbox) -> None:
    outbox.add([("crm", message("old", made=10.0)), ("crm", message("new", made=20.0))], MOST)
    assert outbox.give_up("crm", 15.0, 100.0) == 1
    assert due(outbox, 100.0) == ["new"]
    assert outbox.retry("crm", 200.0) == 2
    assert due(outbox, 200.0) == ["old", "new"]
    # It begins anew: at once given up again it would not have been tried.
    assert outbox.give_up("crm", 150.0, 200.0) == 1
    assert due(outbox, 200.0) == ["old"]


def test_what_nobody_asks_for_is_forgotten(outbox: Outbox) -> None:
    outbox.add([("crm", message("old", made=10.0)), ("crm", message("pending", made=90.0))], MOST)
    outbox.add([("log", message("removed", made=10.0)), ("log", message("young", made=60.0))], MOST)
    outbox.give_up("crm", 15.0, 40.0)
    outbox.forget(50.0, ["crm"])
    assert [(one.endpoint, one.pending, one.given_up) for one in outbox.waiting()] == [("crm", 1, 0), ("log", 1, 0)]


def test_a_disabled_endpoint_is_known_by_its_url_and_gets_nothing_until_it_is_asked_for(outbox: Outbox) -> None:
    outbox.add([("crm", message("a")), ("crm", message("b"))], MOST)
    assert outbox.disable("crm", "https://a/", "http_410", 5.0) == 2
    assert outbox.disabled() == {("crm", "https://a/")}
    assert outbox.waiting() == [Waiting("crm", 0, None, 2, "http_410", "http_410")]
    assert due(outbox, 9.0) == []
    assert outbox.retry("crm", 9.0) == 2
    assert outbox.disabled() == set()
    assert due(outbox, 9.0) == ["a", "b"]


def test_what_was_added_is_there_for_who_opens_the_file_next_even_without_a_close(tmp_path: Path) -> None:
    first = Outbox(tmp_path / FILE)
    first.add([("crm", message("a", "call", 3.0))], MOST)
    second = Outbox(tmp_path / FILE)
    [delivery] = second.due("crm", 5.0, 5)
    assert delivery[1:] == ("crm", "a", "call.started", "call", 3.0, b"{}", 0)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    second.close()
    first.close()


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, but it is long enough to be looked into as one\n" * 20)
    with pytest.raises(Unavailable, match="text cannot be used: file is not a database; move it away"):
        Outbox(tmp_path / "text")
    with pytest.raises(Unavailable, match=r"gone/x cannot be used.*No such file"):
        Outbox(tmp_path / "gone" / "x")
    later = sqlite3.connect(tmp_path / "later")
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(Unavailable, match="came after this one"):
        Outbox(tmp_path / "later")
