"""The feed keeps order, counts, and says when it no longer knows."""

from sipgw.call.feed import Happening, Kind
from sipgw.ops.feed import Entry, Feed


def happening(call: str) -> Happening:
    return Happening(Kind.STARTED, call, 0.0)


def test_a_listener_hears_what_comes_until_it_is_told_to_stop() -> None:
    feed, heard = Feed(), list[Entry]()
    feed.publish(happening("before"))
    stop = feed.listen(heard.append)
    feed.publish(happening("a"))
    feed.publish(happening("b"))
    stop()
    feed.publish(happening("after"))
    assert [(entry.cursor, entry.happening.call) for entry in heard] == [(2, "a"), (3, "b")]


def test_who_comes_back_gets_what_was_missed() -> None:
    feed = Feed(keep=3)
    for name in "abcd":
        feed.publish(happening(name))
    missed = feed.since(2)
    assert missed is not None
    assert [entry.happening.call for entry in missed] == ["c", "d"]
    assert feed.since(4) == []
    # All that is kept, and no more.
    kept = feed.since(1)
    assert kept is not None
    assert len(kept) == 3


def test_what_is_no_longer_kept_and_a_cursor_of_another_run_are_not_known() -> None:
    feed = Feed(keep=2)
    for name in "abcd":
        feed.publish(happening(name))
    assert feed.since(1) is None
    assert feed.since(9) is None
