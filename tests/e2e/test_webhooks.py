"""Webhooks of the real gateway: what happens in a call arrives, and a crash loses none of it."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import yaml

from sipgw.ops.webhooks.outbox import FILE, Outbox
from tests.e2e.phone import calling
from tests.fakes.receiver import Receiver, Reply, receiving
from tests.interop.gateway import running
from tests.test_cli import sipgw

SECRET = "a secret of some length"


def to(url: str, **more: Any) -> dict[str, Any]:
    """The section for one endpoint."""
    return {"crm": {"url": url, "secret": SECRET, "allow_private": ["127.0.0.0/8"], **more}}


def kinds(receiver: Receiver) -> list[str]:
    return [post.json["type"] for post in receiver.posts]


async def test_a_call_is_told_from_its_start_to_its_end(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path, {"webhooks": to(receiver.url)}) as gateway:
        async with calling(f"echo@{gateway.address}") as phone:
            assert phone.status == 200
        posts = await receiver.got(3)
    assert kinds(receiver) == ["call.started", "call.answered", "call.ended"]
    assert len({post.json["call"] for post in posts}) == 1
    assert posts[1].json["data"]["target"] == "echo"
    assert posts[2].json["data"]["hung_up_by"] == "caller"


async def test_a_gateway_killed_with_deliveries_pending_delivers_them_when_it_is_back(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(503)) as receiver:
        state = {"state": str(tmp_path / "state"), "webhooks": to(receiver.url)}
        async with running(tmp_path, state, ends=-signal.SIGKILL) as gateway:
            async with calling(f"echo@{gateway.address}") as phone:
                assert phone.status == 200
            first = (await receiver.got(1))[0]
            await _pending(tmp_path / "state" / FILE, 3)
            gateway.process.kill()
        refused = len(receiver.posts)
        receiver.behaviour = lambda post, before: Reply()
        async with running(tmp_path, state):
            posts = (await receiver.got(refused + 3))[refused:]
        assert [post.json["type"] for post in posts] == ["call.started", "call.answered", "call.ended"]
        assert posts[0].id == first.id, "the same message, so that the receiver knows it"
        assert posts[0].body == first.body


async def _pending(path: Path, count: int) -> None:
    """Wait until so many are on the disk."""
    outbox = Outbox(path)
    async with asyncio.timeout(10):
        while sum(one.pending for one in outbox.waiting()) < count:
            await asyncio.sleep(0.02)
    outbox.close()


async def test_commands_list_test_and_retry(tmp_path: Path) -> None:
    async with receiving(lambda post, before: Reply(410)) as receiver:
        settings = {"state": str(tmp_path / "state"), "webhooks": to(receiver.url)}
        async with running(tmp_path, settings) as gateway:
            async with calling(f"echo@{gateway.address}") as phone:
                assert phone.status == 200
            await gateway.said("webhook disabled")
            config = tmp_path / "sipgw.yaml"
            listed = await sipgw("webhooks", "list", "--config", config)
            assert "http_410" in listed.out
            assert SECRET not in listed.out + str(gateway.lines)
            tried = await sipgw("webhooks", "test", "crm", "--config", config)
            assert (tried.code, "answered 410" in tried.err) == (1, True)
            receiver.behaviour = lambda post, before: Reply()
            before = len(receiver.posts)
            tried = await sipgw("webhooks", "test", "crm", "--config", config)
            assert (tried.code, "answered 200" in tried.out) == (0, True)
            assert receiver.posts[before].json["type"] == "test"
            again = await sipgw("webhooks", "retry", "crm", "--config", config)
            assert "to be delivered to crm" in again.out
            await receiver.got(before + 2)
            wrong = await sipgw("webhooks", "retry", "cmr", "--config", config)
            assert (wrong.code, "did you mean crm?" in wrong.err) == (2, True)


async def test_endpoints_are_reloaded_while_it_runs(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as gateway:
        path = tmp_path / "sipgw.yaml"
        config = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**config, "webhooks": to(receiver.url)}))
        gateway.process.send_signal(signal.SIGHUP)
        [said] = await gateway.said("configuration reloaded")
        assert "webhooks" in said["taken"]
        async with calling(f"echo@{gateway.address}") as phone:
            assert phone.status == 200
        await receiver.got(3)
