"""`/v1/events`: what happens, as it happens, as server-sent events and over a WebSocket.

Every message has a cursor. Whoever comes back with the last one gets what was missed, as far as it is kept. Who is too
slow is told so and cut off, rather than waited for.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Security, WebSocket
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from sipgw.call.feed import Kind
from sipgw.ops.api.access import Role
from sipgw.ops.api.desk import BEARER, Desk
from sipgw.ops.api.models import Happened
from sipgw.ops.api.problems import Refusal
from sipgw.ops.api.stream import Streams, Subscription, Wanted
from sipgw.ops.feed import Entry

HEARTBEAT = 15.0
"""Seconds of silence after which a sign of life is sent."""
PATIENCE = 10.0
"""Seconds a client may take to receive what is sent."""
TOO_SLOW = 4008
"""Close code of a WebSocket whose client does not keep up."""
_GOING_AWAY = 1001
_GAP = "stream.gap"
_CUT = "stream.cut"
_ALIVE = "stream.alive"
_KINDS = {kind.value: kind for kind in Kind}

Call = Annotated[str, Query(description="Only what happens in this call.", max_length=100)]
Kinds = Annotated[list[str], Query(alias="kind", description="Only these kinds, such as `call.answered`.")]
Cursor = Annotated[str, Query(description="Go on after this one: the `cursor` of the last message.", max_length=100)]


def events(desk: Desk) -> APIRouter:
    """Its path, for both."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/v1/events",
        dependencies=[Security(BEARER)],
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "model": Happened}},
    )
    async def stream(
        request: Request,
        call: Call = "",
        kind: Kinds = [],  # noqa: B006 - FastAPI copies it
        cursor: Cursor = "",
        last_event_id: Annotated[str, Header(description="What a browser sends when it comes back.")] = "",
    ) -> Response:
        """Server-sent events. Each one's data is JSON; its id is the cursor."""
        return EventStream(desk.streams, _subscribe(desk, request, call, kind, last_event_id or cursor))

    @router.websocket("/v1/events")
    async def socket(websocket: WebSocket, call: Call = "", kind: Kinds = [], cursor: Cursor = "") -> None:  # noqa: B006
        """The same over a WebSocket: a JSON text a message."""
        try:
            subscription = _subscribe(desk, websocket, call, kind, cursor)
        except Refusal as refusal:
            await websocket.send_denial_response(refusal.response())
            return
        await _Talk(websocket, desk.streams, subscription).run()

    return router


def _subscribe(desk: Desk, connection: HTTPConnection, call: str, kinds: Iterable[str], cursor: str) -> Subscription:
    desk.bearer(connection, Role.READ)
    if unknown := sorted(set(kinds) - set(_KINDS)):
        known = ", ".join(_KINDS)
        raise Refusal(422, "no-such-kind", f"there is no kind {', '.join(unknown)}; there are {known}")
    if desk.streams.full:
        raise Refusal(503, "too-many-streams", "too many clients listen already; close one", {"Retry-After": "30"})
    return desk.streams.subscribe(Wanted(call, frozenset(_KINDS[kind] for kind in kinds)), cursor)


class _Said:
    """What a client is told, as JSON."""

    def __init__(self, streams: Streams, subscription: Subscription) -> None:
        self._streams, self._subscription = streams, subscription

    @property
    def cursor(self) -> str:
        return self._streams.name(self._subscription.position)

    def entry(self, entry: Entry) -> tuple[str, bytes]:
        """One that happened, with its cursor."""
        happening, cursor = entry.happening, self._streams.name(entry.cursor)
        return cursor, _json(cursor, happening.kind.value, happening.call, happening.when, dict(happening.data))

    def own(self, kind: str, detail: str = "") -> bytes:
        """One about the stream itself."""
        return _json(self.cursor, kind, "", time.time(), {"detail": detail} if detail else {})

    def gap(self) -> bytes:
        """Some of what came after the client's cursor is not kept."""
        return self.own(_GAP, "what came between your cursor and this one is no longer kept; look at /v1/calls")

    def cut(self) -> bytes:
        """The client does not keep up."""
        return self.own(_CUT, "you are too slow; come back with this cursor")


class EventStream(Response):
    """The response with server-sent events."""

    def __init__(self, streams: Streams, subscription: Subscription) -> None:
        super().__init__(media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._said, self._subscription = _Said(streams, subscription), subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until either side ends it."""
        watching = asyncio.create_task(self._watch(receive))
        try:
            await self._send(scope, send)
        finally:
            watching.cancel()
            self._subscription.close()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._subscription.end()

    async def _send(self, scope: Scope, send: Send) -> None:
        subscription, said = self._subscription, self._said
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        chunk = self._hello()
        try:
            while not subscription.over:
                async with asyncio.timeout(PATIENCE):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                entries = await subscription.next(HEARTBEAT)
                chunk = b"".join(_event(*said.entry(entry)) for entry in entries) or self._alive()
            last = _event(said.cursor, said.cut()) if subscription.cut else b""
            async with asyncio.timeout(PATIENCE):
                await send({"type": "http.response.body", "body": last, "more_body": False})
        except TimeoutError:
            _abort(scope)

    def _hello(self) -> bytes:
        """The first id, so that even a client that was told nothing can come back."""
        gap = _event(self._said.cursor, self._said.gap()) if self._subscription.gap else b""
        return gap or self._alive()

    def _alive(self) -> bytes:
        return f": alive\nid: {self._said.cursor}\n\n".encode()


class _Talk:
    """One WebSocket."""

    def __init__(self, websocket: WebSocket, streams: Streams, subscription: Subscription) -> None:
        self._websocket, self._subscription = websocket, subscription
        self._said = _Said(streams, subscription)

    async def run(self) -> None:
        """Send until either side ends it."""
        websocket, subscription = self._websocket, self._subscription
        try:
            await websocket.accept()
            watching = asyncio.create_task(self._watch())
            try:
                await self._send()
            finally:
                watching.cancel()
        except WebSocketDisconnect:
            pass  # nobody there to be told
        except TimeoutError:
            _abort(websocket.scope)
        finally:
            subscription.close()

    async def _watch(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await self._websocket.receive_text()
        self._subscription.end()

    async def _send(self) -> None:
        subscription, said = self._subscription, self._said
        await self._text(said.gap() if subscription.gap else said.own(_ALIVE))
        while not subscription.over:
            entries = await subscription.next(HEARTBEAT)
            for entry in entries:
                await self._text(said.entry(entry)[1])
            if not entries and not subscription.over:
                await self._text(said.own(_ALIVE))
        async with asyncio.timeout(PATIENCE):
            if subscription.cut:
                await self._text(said.cut())
                await self._websocket.close(TOO_SLOW, "too slow")
            else:
                await self._websocket.close(_GOING_AWAY)

    async def _text(self, text: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._websocket.send_text(text.decode())


def _json(cursor: str, kind: str, call: str, when: float, data: dict[str, object]) -> bytes:
    return msgspec.json.encode({"cursor": cursor, "kind": kind, "call": call, "when": round(when, 3), "data": data})


def _event(cursor: str, data: bytes) -> bytes:
    return b"id: %b\ndata: %b\n\n" % (cursor.encode(), data)


def _abort(scope: Scope) -> None:
    """Drop the connection of a client that does not read: whatever is sent would only wait behind what it left."""
    scope["state"]["abort"]()
