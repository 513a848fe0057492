"""A client's queue: what it wants, in order, from where it left off; and the end of one that is too slow."""

import asyncio

from sipgw.call.feed import Happening, Kind
from sipgw.ops.api.stream import AT_ONCE, MOST, ROOM, Streams, Subscription, Wanted
from sipgw.ops.feed import Feed


def publish(feed: Feed, count: int = 1, kind: Kind = Kind.TURN, call: str = "n1-1") -> None:
    """Something happens."""
    for _ in range(count):
        feed.publish(Happening(kind, call, 0.0))


async def cursors(subscription: Subscription) -> list[int]:
    """All that is there."""
    found: list[int] = []
    while entries := await subscription.next(0.0):
        found += [entry.cursor for entry in entries]
    return found


async def test_what_happens_from_now_on() -> None:
    feed = Feed()
    publish(feed)
    streams = Streams(feed, "run")
    subscription = streams.subscribe(Wanted(), "")
    publish(feed, 2)
    assert await cursors(subscription) == [2, 3]
    assert streams.name(subscription.position) == "run.3"


async def test_from_where_it_left_off() -> None:
    feed = Feed()
    publish(feed, 3)
    subscription = Streams(feed, "run").subscribe(Wanted(), "run.1")
    publish(feed)
    assert not subscription.gap
    assert await cursors(subscription) == [2, 3, 4]


async def test_a_cursor_that_means_nothing_here_leaves_a_gap() -> None:
    feed = Feed(keep=2)
    publish(feed, 4)
    streams = Streams(feed, "run")
    for cursor in ("run.1", "run.9", "earlier.3", "run.", "run.²", "nonsense"):
        subscription = streams.subscribe(Wanted(), cursor)
        assert subscription.gap, cursor
        assert subscription.position == 4
        assert await cursors(subscription) == []


async def test_only_what_is_wanted() -> None:
    feed = Feed()
    wanted = Wanted("n1-2", frozenset({Kind.DIGIT, Kind.ENDED}))
    publish(feed, kind=Kind.DIGIT, call="n1-2")
    subscription = Streams(feed, "run").subscribe(wanted, "run.0")
    publish(feed, kind=Kind.TURN, call="n1-2")
    publish(feed, kind=Kind.ENDED, call="n1-1")
    publish(feed, kind=Kind.ENDED, call="n1-2")
    publish(feed)
    assert await cursors(subscription) == [1, 4]
    # Its place is behind what it did not want, too.
    assert subscription.position == 5


async def test_a_little_at_a_time() -> None:
    feed = Feed()
    publish(feed, AT_ONCE + 5)
    subscription = Streams(feed, "run").subscribe(Wanted(), "run.0")
    assert len(await subscription.next(0.0)) == AT_ONCE
    assert subscription.position == AT_ONCE
    assert len(await subscription.next(0.0)) == 5


async def test_one_that_waits_is_woken() -> None:
    feed = Feed()
    subscription = Streams(feed, "run").subscribe(Wanted(), "")
    waiting = asyncio.create_task(subscription.next(5.0))
    await asyncio.sleep(0)
    publish(feed)
    assert [entry.cursor for entry in await waiting] == [1]


async def test_one_that_is_too_slow_is_cut_off_where_it_was() -> None:
    feed = Feed()
    streams = Streams(feed, "run")
    subscription = streams.subscribe(Wanted(), "")
    publish(feed, 10)
    await subscription.next(0.0)
    publish(feed, ROOM)
    before = subscription.cut
    publish(feed)
    assert (before, subscription.cut, subscription.over) == (False, True, True)
    assert await cursors(subscription) == []
    assert subscription.position == 10
    # And can come back.
    again = streams.subscribe(Wanted(), streams.name(subscription.position))
    assert await cursors(again) == [*range(11, ROOM + 12)]


async def test_there_is_room_for_so_many() -> None:
    streams = Streams(Feed(), "run")
    clients = [streams.subscribe(Wanted(), "") for _ in range(MOST)]
    assert streams.full
    clients[0].close()
    clients[0].close()
    assert not streams.full


async def test_the_end_wakes_everybody() -> None:
    streams = Streams(Feed(), "run")
    subscription = streams.subscribe(Wanted(), "")
    waiting = asyncio.create_task(subscription.next(5.0))
    await asyncio.sleep(0)
    streams.end()
    assert await waiting == []
    assert subscription.over
    assert not subscription.cut
