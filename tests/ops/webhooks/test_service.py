"""From the loop of the calls: handing over costs microseconds, whatever the endpoints and the disk do."""

import asyncio
import time
from pathlib import Path

import pytest
import structlog

from sipgw.call.feed import Happening, Kind
from sipgw.errors import Unavailable
from sipgw.ops.feed import Feed
from sipgw.ops.webhooks.outbox import FILE
from sipgw.ops.webhooks.service import Webhooks
from sipgw.options import PlaceOptions, WebhookOptions
from tests.fakes.receiver import Reply, receiving


def endpoint(url: str, name: str = "crm") -> WebhookOptions:
    place = PlaceOptions(name, url, ("a secret of some length",), inside=("127.0.0.0/8",))
    return WebhookOptions(place, frozenset({"call.started", "call.ended"}))


def happening(number: int, kind: Kind = Kind.STARTED) -> Happening:
    return Happening(kind, f"n1-{number}", time.time(), {"caller": "+15550100", "called": "100"})


def service(folder: Path) -> Webhooks:
    return Webhooks(folder, "n1", structlog.get_logger())


async def test_what_the_feed_tells_arrives_and_what_nobody_wants_is_left_out(tmp_path: Path) -> None:
    feed, webhooks = Feed(), service(tmp_path)
    feed.listen(webhooks.hear)
    feed.publish(happening(0))
    async with receiving() as receiver:
        await webhooks.start([endpoint(receiver.url)])
        for kind in (Kind.STARTED, Kind.TRANSCRIPT, Kind.ENDED):
            feed.publish(happening(1, kind))
        posts = await receiver.got(2)
        await webhooks.stop()
        feed.publish(happening(2))
    assert [(post.json["type"], post.json["call"]) for post in posts] == [
        ("call.started", "n1-1"), ("call.ended", "n1-1"),
    ]  # fmt: skip


async def test_without_endpoints_there_is_neither_a_thread_nor_a_file_until_some_come(tmp_path: Path) -> None:
    feed, webhooks = Feed(), service(tmp_path)
    feed.listen(webhooks.hear)
    await webhooks.start([])
    webhooks.serve([])
    assert not (tmp_path / FILE).exists()
    async with receiving() as receiver:
        webhooks.serve([endpoint(receiver.url)])
        feed.publish(happening(1))
        await receiver.got(1)
        webhooks.serve([])
        feed.publish(happening(2))
        await webhooks.stop()
        assert len(receiver.posts) == 1


async def test_what_was_heard_last_is_kept_for_the_next_run(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(after=0.5)) as receiver:
        first, second = service(tmp_path), service(tmp_path)
        feed = Feed()
        feed.listen(first.hear)
        await first.start([endpoint(receiver.url)])
        for number in range(100):
            feed.publish(happening(number))
        await first.stop()
        receiver.behaviour = lambda post, before: Reply()
        await second.start([endpoint(receiver.url)])
        async with asyncio.timeout(10):
            while len({post.json["call"] for post in receiver.posts}) < 100:
                await asyncio.sleep(0.01)
        await second.stop()
    by_call = {(post.json["call"], post.id) for post in receiver.posts}
    assert len(by_call) == 100, "a message that came twice had the same id"


async def test_a_file_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    webhooks = service(tmp_path)
    with pytest.raises(Unavailable, match=r"webhooks\.sqlite cannot be used"):
        await webhooks.start([endpoint("http://127.0.0.1:1/")])
    await webhooks.stop()


async def test_the_loop_of_the_calls_is_not_held_up(tmp_path: Path) -> None:
    """A thousand events at once to a place that is down: handing them over must not be felt."""
    feed, webhooks = Feed(), service(tmp_path)
    feed.listen(webhooks.hear)
    await webhooks.start([endpoint("http://127.0.0.1:1/")])
    costs = []
    for number in range(1000):
        before = time.thread_time()
        feed.publish(happening(number))
        costs.append(time.thread_time() - before)
        await asyncio.sleep(0)
    await webhooks.stop()
    assert sorted(costs)[500] < 0.000_2
