"""Routing hooks of the real gateway: a service decides who takes a call; one that fails costs nobody theirs."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.e2e.phone import calling
from tests.e2e.plan import ai
from tests.fakes.backend import FakeBackend
from tests.fakes.receiver import Post, Reply, receiving
from tests.interop.gateway import running

SECRET = "a secret of some length"


def asking(url: str, *backends: FakeBackend, **more: Any) -> dict[str, Any]:
    """A configuration whose calls go where the hook says: `ai-0`, `ai-1` …; else to an echo."""
    hook = {"url": url, "secret": SECRET, "allow_private": True, **more}
    return {
        "hooks": {"crm": hook},
        "backends": {"echo": {"dialect": "echo"}} | {f"ai-{place}": ai(one) for place, one in enumerate(backends)},
        "routes": [{"number": "*", "targets": [{"ask": "crm"}, "echo"], "anyone": True}],
    }


def saying(**answer: Any) -> Reply:
    return Reply(body=json.dumps(answer).encode())


async def test_the_hook_chooses_the_backend_and_tells_it_about_the_call(tmp_path: Path) -> None:
    def choose(post: Post, before: int) -> Reply:
        wanted = post.json["called"]
        return saying(backend=wanted, variables={"customer": "Ann"}, instructions=f"You are {wanted}.")

    async with (
        FakeBackend() as first,
        FakeBackend() as second,
        receiving(choose) as service,
        running(tmp_path, asking(service.url, first, second)) as gateway,
    ):
        for number, backend in (("ai-1", second), ("ai-0", first)):
            async with calling(f"{number}@{gateway.address}") as phone:
                assert phone.status == 200
                start = (await backend.sent("start"))[0]
                assert start["call"]["variables"] == {"customer": "Ann"}
                assert start["call"]["instructions"] == f"You are {number}."
                await backend.sent("open")
        ended = await gateway.said("call ended", 2)
        assert [line["target"] for line in ended] == ["ai-1", "ai-0"]


async def test_a_refusal_is_the_hooks_and_a_failure_is_nobodys(tmp_path: Path) -> None:
    def choose(post: Post, before: int) -> Reply:
        match post.json["called"]:
            case "busy":
                return saying(reject={"status": 486, "reason": "Busy Here"})
            case "slow":
                return Reply(after=5.0)
            case "nonsense":
                return Reply(body=b"<html>")
        return Reply(500)

    async with receiving(choose) as service, running(tmp_path, asking(service.url)) as gateway:
        async with calling(f"busy@{gateway.address}") as phone:
            assert phone.status == 486
        for number in ("slow", "nonsense", "broken"):
            began = time.monotonic()
            async with calling(f"{number}@{gateway.address}") as phone:
                assert phone.status == 200, number
                assert time.monotonic() - began < 3.0
        ended = await gateway.said("call ended", 4)
        assert [(line["cause"], line["target"]) for line in ended] == [("rejected", ""), *[("normal", "echo")] * 3]
        assert len(await gateway.said("hook fails")) == 1


async def test_a_hook_that_went_down_is_replaced_by_what_it_said(tmp_path: Path) -> None:
    async with (
        FakeBackend() as backend,
        receiving(lambda post, before: saying(backend="ai-0") if before == 0 else Reply(503)) as service,
        running(tmp_path, asking(service.url, backend)) as gateway,
    ):
        for number in ("desk", "desk", "other"):
            async with calling(f"{number}@{gateway.address}") as phone:
                assert phone.status == 200
        ended = await gateway.said("call ended", 3)
    assert [line["target"] for line in ended] == ["ai-0", "ai-0", "echo"]
    assert len(service.posts) == 3


async def test_the_gateway_stops_while_a_hook_is_asked(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(after=3.0)) as service:
        async with running(tmp_path, asking(service.url, timeout=10.0)) as gateway:
            ringing = asyncio.create_task(_call(f"desk@{gateway.address}"))
            await service.got(1)
            gateway.process.terminate()
            gateway.process.terminate()
        assert await ringing in (200, 503)


async def _call(uri: str) -> int:
    async with calling(uri) as phone:
        return phone.status
