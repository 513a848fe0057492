"""From what happened to real receivers: in order, again until they have it, and none held up by another."""

import asyncio
import io
import json
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from sipgw.call.feed import Happening, Kind
from sipgw.ops.webhooks import delivery, verdict
from sipgw.ops.webhooks.dispatch import LARGEST_BYTES, Dispatch
from sipgw.ops.webhooks.outbox import FILE, Outbox
from sipgw.ops.webhooks.tally import Tally
from sipgw.options import PlaceOptions, WebhookOptions
from tests.fakes.receiver import Post, Reply, receiving

SECRET = "a secret of some length"
EVENTS = frozenset({"call.started", "call.answered", "call.ended"})


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is a fiftieth."""
    monkeypatch.setattr(verdict, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(delivery, "LONGEST_SLEEP", 0.1)


def endpoint(name: str, url: str, *, timeout: float = 5.0, connections: int = 4, **more: Any) -> WebhookOptions:
    place = PlaceOptions(
        name, url, (SECRET,), {"X-Key": "abc"}, timeout=timeout, connections=connections, inside=("127.0.0.0/8",)
    )
    return WebhookOptions(place, **{"events": EVENTS, **more})


def happening(call: str, kind: Kind = Kind.STARTED, **data: str) -> Happening:
    return Happening(kind, call, time.time(), data)


class Office:
    """A dispatch and what it counts and logs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = io.StringIO()
        self.tally = Tally()
        log = structlog.wrap_logger(
            structlog.WriteLogger(self.out),
            processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(20),
        )
        self.dispatch = Dispatch(Outbox(path / FILE), "n1", self.tally, log)

    def logged(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.out.getvalue().splitlines()]

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for it, at most ten seconds."""
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def office(path: Path, *endpoints: WebhookOptions) -> AsyncIterator[Office]:
    made = Office(path)
    await made.dispatch.serve(endpoints)
    try:
        yield made
    finally:
        await made.dispatch.close()


async def test_what_happens_arrives_signed_and_in_order(tmp_path: Path) -> None:
    async with receiving() as receiver, office(tmp_path, endpoint("crm", receiver.url)) as work:
        work.dispatch.take([happening("c", kind) for kind in (Kind.STARTED, Kind.RINGING, Kind.ANSWERED, Kind.ENDED)])
        posts = await receiver.got(3)
        assert [post.json["type"] for post in posts] == ["call.started", "call.answered", "call.ended"]
        for post in posts:
            assert post.headers["content-type"] == "application/json"
            assert post.headers["x-key"] == "abc"
            assert post.headers["webhook-signature"].startswith("v1,")
            assert post.id == post.json["id"]
        assert len({post.id for post in posts}) == 3
        await work.until(lambda: work.tally.delivered["crm"] == 3)


async def test_a_failed_one_is_sent_again_under_its_id_and_what_follows_in_its_call_waits(tmp_path: Path) -> None:
    def twice_not(post: Post, before: int) -> Reply:
        return Reply(500 if post.json["type"] == "call.started" and before < 3 else 204)

    async with receiving(twice_not) as receiver, office(tmp_path, endpoint("crm", receiver.url)) as work:
        work.dispatch.take([happening("c"), happening("c", Kind.ENDED)])
        await work.until(lambda: work.tally.delivered["crm"] == 2)
        assert [post.json["type"] for post in receiver.posts] == ["call.started"] * 4 + ["call.ended"]
        assert len({post.id for post in receiver.posts}) == 2
        assert work.tally.failures == {("crm", "http_500"): 3}
        assert work.logged() == ["webhook fails", "webhook works again"]


async def test_a_bad_call_does_not_hold_up_others(tmp_path: Path) -> None:
    async with (
        receiving(lambda post, before: Reply(500 if post.json["call"] == "bad" else 200)) as receiver,
        office(tmp_path, endpoint("crm", receiver.url, connections=1)) as work,
    ):
        work.dispatch.take([happening("bad"), happening("good"), happening("fine")])
        await work.until(lambda: work.tally.delivered["crm"] == 2)


async def test_a_slow_endpoint_holds_up_nobody_else(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(after=1.0)) as slow, receiving() as quick:
        ends = endpoint("slow", slow.url, connections=2), endpoint("quick", quick.url)
        async with office(tmp_path, *ends) as work:
            began = time.monotonic()
            work.dispatch.take([happening(str(number)) for number in range(50)])
            await quick.got(50)
            assert time.monotonic() - began < 1.0
            assert slow.most_open == 2
            assert work.tally.delivered["slow"] == 0


async def test_an_endpoint_that_is_down_is_let_rest_and_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with office(tmp_path, endpoint("crm", f"http://127.0.0.1:{port}/hook")) as work:
        work.dispatch.take([happening(str(number)) for number in range(20)])
        await work.until(lambda: work.tally.failures["crm", "connection_refused"] >= 3)
        async with receiving(port=port) as receiver:
            posts = await receiver.got(20)
            assert len({post.id for post in posts}) == 20
            await work.until(lambda: work.tally.delivered["crm"] == 20)
        # Not one attempt a message: the endpoint as a whole was waited for.
        assert work.tally.failures["crm", "connection_refused"] < 100


async def test_retry_after_is_honoured_by_all_that_wait(tmp_path: Path) -> None:
    async with (
        receiving(lambda post, before: Reply(429, {"Retry-After": "1"}) if before == 0 else Reply()) as receiver,
        office(tmp_path, endpoint("crm", receiver.url, connections=1)) as work,
    ):
        work.dispatch.take([happening("a"), happening("b")])
        first, second, *_ = await receiver.got(3)
        assert second.when - first.when >= 1.0
        await work.until(lambda: work.tally.delivered["crm"] == 2)


async def test_410_disables_until_it_is_asked_for_again(tmp_path: Path) -> None:
    async with (
        receiving(lambda post, before: Reply(410)) as receiver,
        office(tmp_path, endpoint("crm", receiver.url, connections=1)) as work,
    ):
        work.dispatch.take([happening("a"), happening("b")])
        await work.until(lambda: work.tally.dropped["crm", "disabled"] == 2)
        assert "webhook disabled" in work.logged()
        await work.until(lambda: bool(work.tally.waiting and work.tally.waiting[0].disabled))
        work.dispatch.take([happening("c")])
        assert len(receiver.posts) == 1
        receiver.behaviour = lambda post, before: Reply()
        command = Outbox(tmp_path / FILE)
        assert command.retry("crm", time.time()) == 2
        command.close()
        await work.until(lambda: work.tally.delivered["crm"] == 2)


async def test_a_redirect_inwards_is_a_failure_and_nothing_else(tmp_path: Path) -> None:
    async with receiving() as inside:
        async with (
            receiving(lambda post, before: Reply(302, {"Location": inside.url})) as receiver,
            office(tmp_path, endpoint("crm", receiver.url)) as work,
        ):
            work.dispatch.take([happening("a")])
            await work.until(lambda: work.tally.failures["crm", "http_302"] >= 2)
        assert inside.posts == []


async def test_an_inside_address_is_never_asked(tmp_path: Path) -> None:
    async with receiving() as receiver:
        place = PlaceOptions("crm", f"http://localhost:{receiver.port}/", (SECRET,))
        async with office(tmp_path, WebhookOptions(place, EVENTS)) as work:
            work.dispatch.take([happening("a")])
            await work.until(lambda: work.tally.failures["crm", "inside_address"] >= 1)
        assert receiver.posts == []


async def test_what_is_too_old_too_large_or_too_much_is_dropped_and_counted(tmp_path: Path) -> None:
    async with (
        receiving(lambda post, before: Reply(500)) as receiver,
        office(tmp_path, endpoint("crm", receiver.url, give_up_after=0.5, most_pending=3)) as work,
    ):
        work.dispatch.take([happening("large", text="x" * LARGEST_BYTES)])
        work.dispatch.take([happening(str(number)) for number in range(5)])
        await work.until(lambda: work.tally.dropped["crm", "too_old"] == 3)
        assert work.tally.dropped == {
            ("crm", "too_large"): 1, ("crm", "queue_full"): 2, ("crm", "too_old"): 3,
        }  # fmt: skip
        assert work.logged().count("webhooks given up") == 1


async def test_what_was_not_delivered_is_by_the_next_run(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    there = endpoint("crm", f"http://127.0.0.1:{port}/hook")
    async with office(tmp_path, there) as first:
        first.dispatch.take([happening("a")])
        await first.until(lambda: first.tally.failures["crm", "connection_refused"] >= 1)
    async with receiving(port=port) as receiver, office(tmp_path, there):
        assert (await receiver.got(1))[0].json["call"] == "a"


async def test_endpoints_change_while_it_runs_and_those_that_stay_are_not_disturbed(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(after=0.3)) as one, receiving() as other:
        stays = endpoint("one", one.url)
        async with office(tmp_path, stays, endpoint("other", "http://127.0.0.1:1/")) as work:
            work.dispatch.take([happening("a")])
            await one.got(1)
            await work.dispatch.serve([stays, endpoint("other", other.url)])
            await other.got(1)
            await work.until(lambda: work.tally.delivered == {"one": 1, "other": 1})
            assert len(one.posts) == 1, "its request was not broken off"
            await work.dispatch.serve([stays])
            work.dispatch.take([happening("b")])
            await work.until(lambda: work.tally.delivered["one"] == 2)
            assert len(other.posts) == 1


async def test_what_the_disk_does_not_take_waits_for_it(tmp_path: Path) -> None:
    async with receiving() as receiver, office(tmp_path, endpoint("crm", receiver.url)) as work:
        block = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        block.execute("BEGIN IMMEDIATE")
        work.dispatch._outbox._db.execute("PRAGMA busy_timeout = 10")
        work.dispatch.take([happening("a")])
        assert "webhooks cannot be written" in work.logged()
        block.execute("ROLLBACK")
        block.close()
        work.dispatch.take([happening("b")])
        assert {post.json["call"] for post in await receiver.got(2)} == {"a", "b"}


async def test_metrics_tell_what_is_delivered_pending_and_how_old(tmp_path: Path) -> None:
    async with (
        receiving() as good,
        receiving(lambda post, before: Reply(500)) as bad,
        office(tmp_path, endpoint("good", good.url), endpoint("bad", bad.url)) as work,
    ):
        work.dispatch.take([happening("a")])
        await work.until(lambda: bool(work.tally.waiting) and work.tally.now - (work.tally.waiting[0].oldest or 0) > 1)
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for metric in work.tally.collect()
            for sample in metric.samples
        }
    assert samples["sipgw_webhook_delivered_total", "good"] == 1
    assert samples["sipgw_webhook_failures_total", "bad", "http_500"] >= 1
    assert samples["sipgw_webhook_pending", "bad"] == 1
    assert samples["sipgw_webhook_oldest_seconds", "bad"] > 1
