"""A Realtime server in a few lines, which does what the test tells it; the dialect's other half for tests of ours."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

LIMIT = 5.0


class Realtime:
    """What the server has read, and the connections it has."""

    def __init__(self) -> None:
        self.url = ""
        self.connections: list[ServerConnection] = []
        self.read: list[dict[str, Any]] = []
        self.audio = b""
        self.closed: list[tuple[int | None, str | None]] = []
        self.sets_up = True
        """Whether it answers `session.update`."""
        self._news = asyncio.Condition()

    async def serve(self, connection: ServerConnection) -> None:
        """One conversation."""
        self.connections.append(connection)
        await self.say("session.created", session={})
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                await self._take(json.loads(message))
        async with self._news:
            self.closed.append((connection.close_code, connection.close_reason))
            self._news.notify_all()

    async def _take(self, event: dict[str, Any]) -> None:
        if event["type"] == "session.update" and self.sets_up:
            await self.say("session.updated", session=event["session"])
        async with self._news:
            if event["type"] == "input_audio_buffer.append":
                self.audio += base64.b64decode(event["audio"])
            else:
                self.read.append(event)
            self._news.notify_all()

    async def say(self, kind: str, **fields: Any) -> None:
        """Send an event on the newest connection."""
        await self.connections[-1].send(json.dumps({"type": kind, "event_id": "e", **fields}))

    async def speak(self, audio: bytes, item: str = "i1") -> None:
        """Send audio of an utterance."""
        await self.say("response.output_audio.delta", item_id=item, delta=base64.b64encode(audio).decode())

    async def got(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`th event of a kind that came, waited for."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.read if event["type"] == kind]

        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(lambda: len(found()) >= count)
        return found()[count - 1]

    async def heard(self, size: int) -> bytes:
        """At least `size` bytes of the caller's audio, waited for."""
        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(lambda: len(self.audio) >= size)
        return self.audio

    async def ended(self, count: int = 1) -> tuple[int | None, str | None]:
        """Code and reason of the `count`th connection that closed, waited for."""
        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(lambda: len(self.closed) >= count)
        return self.closed[count - 1]


@contextlib.asynccontextmanager
async def realtime() -> AsyncIterator[Realtime]:
    """A server on a free port of 127.0.0.1."""
    made = Realtime()
    async with serve(made.serve, "127.0.0.1", 0) as server:
        made.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/realtime"
        yield made
