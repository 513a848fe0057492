"""Questions to real services, which answer, or do what services do instead."""

import asyncio
import io
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog
from prometheus_client import CollectorRegistry

from sipgw.call.advice import Advice
from sipgw.call.events import HookAnswered, HookEvent, HookFailed
from sipgw.ops.hooks.counts import Counts
from sipgw.ops.hooks.service import Hooks
from sipgw.options import HookOptions, PlaceOptions
from tests.fakes.receiver import Behaviour, Post, Reply, receiving
from tests.ops.hooks.test_wire import QUESTION

SECRET = "a secret of some length"
GOOD = Reply(body=b'{"backend": "assistant"}')


class Core:
    """The call core's place: takes what is told."""

    def __init__(self) -> None:
        self.told: list[HookEvent] = []
        self.out = io.StringIO()
        self.registry = CollectorRegistry()
        log = structlog.wrap_logger(
            structlog.WriteLogger(self.out), processors=[structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(20),
        )  # fmt: skip
        self.hooks = Hooks(self._take, Counts(self.registry), log)

    def _take(self, event: HookEvent) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.told.append(event)

    async def hears(self, count: int) -> list[HookEvent]:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                await asyncio.sleep(0.005)
        return self.told

    def logged(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.out.getvalue().splitlines()]

    def count(self, outcome: str) -> float | None:
        labels = {"hook": "crm", "outcome": outcome}
        return self.registry.get_sample_value("sipgw_hook_answers_total", labels)


def hook(url: str, *, timeout: float = 1.0, connections: int = 50, inside: bool = True) -> HookOptions:
    networks = ("127.0.0.0/8",) if inside else ()
    place = PlaceOptions("crm", url, (SECRET,), timeout=timeout, connections=connections, inside=networks)
    return HookOptions(place)


@asynccontextmanager
async def core(options: HookOptions) -> AsyncIterator[Core]:
    made = Core()
    made.hooks.serve([options])
    try:
        yield made
    finally:
        await made.hooks.close()


async def test_a_signed_question_is_answered() -> None:
    async with receiving(lambda post, before: GOOD) as service, core(hook(service.url)) as calls:
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        assert await calls.hears(1) == [HookAnswered("c/ask/1", Advice(backend="assistant"))]
        [post] = service.posts
        assert post.json["called"] == "+15550199"
        assert post.id.startswith("ask_")
        assert post.headers["webhook-signature"].startswith("v1,")
        assert calls.count("answered") == 1


def failing() -> list[tuple[Behaviour, str]]:
    return [
        (lambda post, before: Reply(500), "http_500"),
        (lambda post, before: Reply(204), "http_204"),
        (lambda post, before: Reply(302, {"Location": "http://169.254.169.254/"}), "http_302"),
        (lambda post, before: Reply(body=b"<html>"), "bad_answer"),
        (lambda post, before: Reply(body=b'{"backend": 7}'), "bad_answer"),
        (lambda post, before: Reply(body=b"x" * 100_000), "answer_too_long"),
        (lambda post, before: Reply(hang_up=True), "not_http"),
        (lambda post, before: Reply(after=1.5), "timeout"),
        (lambda post, before: Reply(body=b" " * 50 + GOOD.body, drip=0.02), "timeout"),
    ]


@pytest.mark.parametrize(("behaviour", "reason"), failing())
async def test_whatever_is_no_answer_has_a_name_and_a_count(behaviour: Behaviour, reason: str) -> None:
    async with receiving(behaviour) as service, core(hook(service.url, timeout=0.5)) as calls:
        began = time.monotonic()
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        assert await calls.hears(1) == [HookFailed("c/ask/1", reason)]
        assert time.monotonic() - began < 1.2
        assert calls.count(reason) == 1
        assert "hook fails" in calls.logged()


async def test_nobody_there_and_an_inside_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with core(hook(f"http://127.0.0.1:{port}/")) as calls:
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        assert await calls.hears(1) == [HookFailed("c/ask/1", "connection_refused")]
    async with receiving() as service, core(hook(service.url, inside=False)) as calls:
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        assert await calls.hears(1) == [HookFailed("c/ask/1", "inside_address")]
        assert service.posts == []


async def test_a_question_taken_back_is_not_answered_and_makes_room() -> None:
    async with (
        receiving(lambda post, before: Reply(after=0.5) if before == 0 else GOOD) as service,
        core(hook(service.url, connections=1)) as calls,
    ):
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        await service.got(1)
        calls.hooks.ask("d/ask/1", "crm", QUESTION)
        assert calls.told == [HookFailed("d/ask/1", "busy")], "nobody waits for a turn"
        calls.hooks.stop("c/ask/1")
        calls.hooks.stop("never asked")
        async with asyncio.timeout(5):
            while calls.count("given_up") is None:
                await asyncio.sleep(0.005)
        calls.hooks.ask("e/ask/1", "crm", QUESTION)
        assert await calls.hears(2) == [
            HookFailed("d/ask/1", "busy"), HookAnswered("e/ask/1", Advice(backend="assistant")),
        ]  # fmt: skip


async def test_a_hook_that_is_gone_from_the_configuration_fails_and_a_changed_one_is_asked_where_it_is_now() -> None:
    async with (
        receiving(lambda post, before: GOOD) as old,
        receiving(lambda post, before: GOOD) as new,
        core(hook(old.url)) as calls,
    ):
        calls.hooks.ask("c/ask/1", "crm", QUESTION)
        await calls.hears(1)
        calls.hooks.serve([hook(new.url)])
        calls.hooks.ask("c/ask/2", "crm", QUESTION)
        await calls.hears(2)
        assert (len(old.posts), len(new.posts)) == (1, 1)
        calls.hooks.serve([])
        calls.hooks.ask("c/ask/3", "crm", QUESTION)
        assert calls.told[-1] == HookFailed("c/ask/3", "not_configured")


async def test_failing_and_working_again_is_a_line_each() -> None:
    def sometimes(post: Post, before: int) -> Reply:
        return Reply(500) if before in (1, 2) else GOOD

    async with receiving(sometimes) as service, core(hook(service.url)) as calls:
        for number in range(4):
            calls.hooks.ask(f"c/ask/{number}", "crm", QUESTION)
            await calls.hears(number + 1)
        assert calls.logged() == ["hook fails", "hook works again"]


async def test_many_at_a_time_come_back_each_to_its_own() -> None:
    def own(post: Post, before: int) -> Reply:
        return Reply(body=json.dumps({"backend": post.json["called"]}).encode(), after=0.05)

    async with receiving(own) as service, core(hook(service.url, timeout=5.0)) as calls:
        for number in range(40):
            calls.hooks.ask(f"c{number}/ask/1", "crm", replace(QUESTION, called=str(number)))
        await calls.hears(40)
    told = {event.id: event.advice.backend for event in calls.told if isinstance(event, HookAnswered)}
    assert told == {f"c{number}/ask/1": str(number) for number in range(40)}
