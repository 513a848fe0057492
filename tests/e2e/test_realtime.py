"""The whole way to a Realtime server made by others: a phone speaks, a parrot answers, and can be interrupted."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve

from tests.e2e import pjsip
from tests.e2e.plan import plan, to
from tests.e2e.sound import RATE_HZ, Pcm, level_at, tone
from tests.interop import peers
from tests.interop.gateway import running
from tests.ports import free_port

pytestmark = pytest.mark.interop

LIMIT = 30.0
FIRST_HZ, LONG_HZ, OVER_HZ = 440, 520, 660


class Between:
    """Stands between gateway and server and keeps what both say, besides audio."""

    def __init__(self, url: str) -> None:
        self._server = url
        self.asked: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []

    async def relay(self, gateway: ServerConnection) -> None:
        """Carry everything both ways."""
        async with connect(self._server) as server, asyncio.TaskGroup() as ways:
            ways.create_task(self._carry(gateway, server, self.asked))
            ways.create_task(self._carry(server, gateway, self.told))

    async def _carry(self, source: Connection, target: Connection, kept: list[dict[str, Any]]) -> None:
        async for message in source:
            kept.append(json.loads(message))
            await target.send(message)
        await target.close()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What the gateway asked for, by type."""
        return [message for message in self.asked if message["type"] == kind]


@contextlib.asynccontextmanager
async def listened_to(url: str) -> AsyncIterator[tuple[str, Between]]:
    """Something between the gateway and the server at `url`: its own address, and what it hears."""
    between = Between(url)
    async with serve(between.relay, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/", between


@contextlib.asynccontextmanager
async def parrot(port: int) -> AsyncIterator[str]:
    """The server, until the block ends; its address."""
    process = await asyncio.create_subprocess_exec(
        *(str(peers.python("speech-to-speech")), str(peers.SCRIPTS / "realtime_server.py"), str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await accepting(port)
        yield f"ws://127.0.0.1:{port}/v1/realtime"
    finally:
        process.kill()
        await process.wait()


async def accepting(port: int) -> None:
    """Wait until something listens: importing the server takes seconds."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                await writer.wait_closed()
                return


def seconds_of(heard: Pcm, hz: float) -> float:
    """For how long a tone was heard."""
    frames = [heard[at : at + 400] for at in range(0, len(heard) - 400, 400)]
    return 0.05 * sum(level_at(frame, hz) > 2000 for frame in frames)


def pause(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


async def test_a_phone_hears_its_words_from_a_real_server_and_can_interrupt_it(tmp_path: Path) -> None:
    says = np.concatenate(
        # The parrot takes its turn 0.3 s after a tone; the last one begins in the middle of what it repeats.
        [pause(0.5), tone(0.8, FIRST_HZ), pause(1.6), tone(2.0, LONG_HZ), pause(0.9), tone(0.4, OVER_HZ), pause(2.0)]
    )
    async with parrot(free_port()) as server, listened_to(server) as (url, between):
        backend = {"dialect": "openai-realtime", "url": url, "settings": {"instructions": "Be a parrot."}}
        async with running(tmp_path, plan(to("parrot", backend))) as gateway:
            heard = await pjsip.call(f"parrot@{gateway.address}", says, len(says) / RATE_HZ, tmp_path)
            ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["target"]) == ("normal", "parrot-0")
    assert abs(seconds_of(heard, FIRST_HZ) - 0.8) < 0.2, "the first words came back whole"
    assert 0.2 < seconds_of(heard, LONG_HZ) < 1.2, "the long ones were cut off"
    assert seconds_of(heard, OVER_HZ) > 0.2, "and the last were answered"
    # The server was told how much of them the caller heard, so that its model remembers no more.
    (truncated,) = between.of("conversation.item.truncate")
    assert abs(truncated["audio_end_ms"] - 1000 * seconds_of(heard, LONG_HZ)) < 100
    assert [message for message in between.told if message["type"] == "error"] == []
