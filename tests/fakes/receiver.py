"""A place that takes HTTP posts: answers as it is told, keeps what came, and can be as bad as receivers get."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

LIMIT = 10.0
"""Seconds anything here may take before the test fails."""


@dataclass(frozen=True)
class Post:
    """One request that came."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    when: float
    """On the loop's clock."""

    @property
    def json(self) -> dict[str, Any]:
        """What the body says."""
        return dict(json.loads(self.body))

    @property
    def id(self) -> str:
        """The message's."""
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0
    """Seconds to wait before."""
    drip: float = 0.0
    """Seconds between the bytes of the body."""
    hang_up: bool = False
    """Close the connection instead."""


Behaviour = Callable[[Post, int], Reply]
"""From a request and how many came before it to the answer."""


class Receiver:
    """Listens on 127.0.0.1."""

    def __init__(self, behaviour: Behaviour = lambda post, before: Reply()) -> None:
        self.behaviour = behaviour
        self.posts: list[Post] = []
        self.open = 0
        """Requests being answered."""
        self.most_open = 0
        self._news = asyncio.Condition()
        self._connections: dict[asyncio.Task[object], asyncio.StreamWriter] = {}
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def got(self, count: int, within: float = LIMIT) -> list[Post]:
        """The first `count` requests, waited for."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: len(self.posts) >= count), within)
            except TimeoutError:
                raise AssertionError(f"{len(self.posts)} of {count} posts came: {self.posts}") from None
        return self.posts[:count]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # they hung up
        finally:
            del self._connections[task]
            writer.close()

    async def cut(self) -> None:
        """Break all connections."""
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        post = await _read(reader)
        before = len(self.posts)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        async with self._news:
            self.posts.append(post)
            self._news.notify_all()
        try:
            return await _answer(self.behaviour(post, before), writer)
        finally:
            self.open -= 1


async def _read(reader: asyncio.StreamReader) -> Post:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Post(head[0].split()[1], headers, body, asyncio.get_running_loop().time())


async def _answer(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(reply.after)
    if reply.hang_up:
        return False
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    if reply.drip:
        for byte in reply.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(reply.drip)
    else:
        writer.write(reply.body)
    await writer.drain()
    return True


@contextlib.asynccontextmanager
async def receiving(
    behaviour: Behaviour = lambda post, before: Reply(), *, port: int = 0, context: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver that listens; with a context, over TLS."""
    receiver = Receiver(behaviour)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    receiver.scheme = "https" if context else "http"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.cut()
