"""The event stream as clients see it: server-sent events and WebSocket, cut and resumed."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sipgw.call.feed import Happening, Kind
from sipgw.ops.api import events, stream
from tests.ops.api.served import Served, bearer, served


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        yield made


def publish(api: Served, *kinds: Kind, call: str = "n1-1", **data: Any) -> None:
    """Something happens."""
    for kind in kinds:
        api.gateway.feed.publish(Happening(kind, call, 1_700_000_000.5, data))


class Listener:
    """A client of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.id = ""
        self._lines = response.aiter_lines()

    async def event(self) -> dict[str, Any]:
        """The next one with data; `id` is kept as a browser keeps it."""
        async with asyncio.timeout(3):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    self.id = value
                if name == "data":
                    found: dict[str, Any] = json.loads(value)
                    return found
        raise EOFError

    async def hello(self) -> None:
        """The first id."""
        async with asyncio.timeout(3):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.id = line.removeprefix("id: ")
                    return


async def listen(api: Served, headers: dict[str, str] | None = None, **query: Any) -> Listener:
    """Open a stream, and come to its first words."""
    request = api.client.build_request("GET", "/v1/events", params=query, headers=headers)
    response = await api.client.send(request, stream=True)
    assert response.status_code == 200, await response.aread()
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    return Listener(response)


async def test_what_happens_is_told(api: Served) -> None:
    listener = await listen(api)
    await listener.hello()
    publish(api, Kind.ANSWERED, codec="PCMU", target="demo")
    assert await listener.event() == {
        "cursor": "run1.1",
        "kind": "call.answered",
        "call": "n1-1",
        "when": 1_700_000_000.5,
        "data": {"codec": "PCMU", "target": "demo"},
    }
    await listener.response.aclose()


async def test_a_stream_that_was_cut_goes_on_where_it_was(api: Served) -> None:
    listener = await listen(api)
    await listener.hello()
    publish(api, Kind.STARTED, Kind.RINGING)
    assert (await listener.event())["kind"] == "call.started"
    await listener.response.aclose()
    publish(api, Kind.ANSWERED)
    # As a browser comes back, and as others do.
    for again in (await listen(api, {"Last-Event-ID": listener.id}), await listen(api, cursor=listener.id)):
        assert [(await again.event())["kind"] for _ in range(2)] == ["call.ringing", "call.answered"]
        await again.response.aclose()


async def test_even_who_heard_nothing_can_come_back(api: Served) -> None:
    publish(api, Kind.STARTED)
    listener = await listen(api)
    await listener.hello()
    await listener.response.aclose()
    assert listener.id == "run1.1"
    publish(api, Kind.ENDED)
    again = await listen(api, cursor=listener.id)
    assert (await again.event())["kind"] == "call.ended"
    await again.response.aclose()


async def test_a_cursor_of_another_run_is_told_so(api: Served) -> None:
    publish(api, Kind.STARTED)
    listener = await listen(api, cursor="run0.1")
    gap = await listener.event()
    assert (gap["kind"], gap["cursor"]) == ("stream.gap", "run1.1")
    publish(api, Kind.ENDED)
    assert (await listener.event())["kind"] == "call.ended"
    await listener.response.aclose()


async def test_only_what_was_asked_for(api: Served) -> None:
    listener = await listen(api, call="n1-2", kind=["call.digit", "call.ended"])
    await listener.hello()
    publish(api, Kind.DIGIT, Kind.ENDED)
    publish(api, Kind.STARTED, Kind.ENDED, call="n1-2")
    event = await listener.event()
    assert (event["kind"], event["call"]) == ("call.ended", "n1-2")
    await listener.response.aclose()


async def test_a_kind_that_does_not_exist(api: Served) -> None:
    response = await api.client.get("/v1/events", params={"kind": "call.nothing"})
    assert response.status_code == 422
    assert "call.answered" in response.json()["detail"]


async def test_silence_has_a_sign_of_life(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    listener = await listen(api, call="n1-2")
    await listener.hello()
    publish(api, Kind.STARTED)
    # It carries the cursor on, past what was not asked for.
    await listener.hello()
    while listener.id != "run1.1":
        await listener.hello()
    await listener.response.aclose()


async def test_there_is_room_for_so_many(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 1)
    listener = await listen(api)
    assert (await api.client.get("/v1/events")).status_code == 503
    await listener.response.aclose()
    async with asyncio.timeout(3):
        while api.streams.full:
            await asyncio.sleep(0.01)


async def test_who_does_not_read_is_dropped_and_nobody_waits(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PATIENCE", 0.2)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, api.address)
    head = "\r\n".join(f"{name}: {value}" for name, value in {"Host": "localhost", **bearer("read")}.items())
    await loop.sock_sendall(sock, f"GET /v1/events HTTP/1.1\r\n{head}\r\n\r\n".encode())
    assert (await loop.sock_recv(sock, 100)).startswith(b"HTTP/1.1 200")
    async with asyncio.timeout(10):
        while api.streams._open:
            publish(api, *[Kind.TRANSCRIPT] * 20, text="x" * 2000)
            await asyncio.sleep(0.005)
    sock.close()


# --- WebSocket ----------------------------------------------------------------------------------------------------


def socket_to(api: Served, query: str = "", role: str = "read") -> connect:
    """A client's connection."""
    host, port = api.address
    return connect(f"ws://{host}:{port}/v1/events{query}", additional_headers=bearer(role))


async def told(client: ClientConnection) -> dict[str, Any]:
    """The next message."""
    message: dict[str, Any] = json.loads(await asyncio.wait_for(client.recv(), 3))
    return message


async def test_the_same_over_a_websocket(api: Served) -> None:
    async with socket_to(api, "?kind=call.ended") as client:
        assert (await told(client))["kind"] == "stream.alive"
        publish(api, Kind.STARTED, Kind.ENDED, cause="normal")
        event = await told(client)
        assert (event["kind"], event["cursor"], event["data"]) == ("call.ended", "run1.2", {"cause": "normal"})


async def test_a_websocket_that_was_cut_goes_on_where_it_was(api: Served) -> None:
    async with socket_to(api) as client:
        cursor = (await told(client))["cursor"]
    publish(api, Kind.STARTED)
    async with socket_to(api, f"?cursor={cursor}") as client:
        assert [(await told(client))["kind"] for _ in range(2)] == ["stream.alive", "call.started"]


async def test_a_websocket_with_silence_has_a_sign_of_life(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    async with socket_to(api) as client:
        assert [(await told(client))["kind"] for _ in range(3)] == ["stream.alive"] * 3


async def test_a_websocket_wants_a_token(api: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket_to(api, role="wrong"):
            pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"")["type"] == "tag:sipgw,2026:no-token"


async def test_a_websocket_of_another_site_is_refused(api: Served) -> None:
    host, port = api.address
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://{host}:{port}/v1/events",
            additional_headers={**bearer("read"), "Origin": "https://evil.example"},
        ):
            pass
    assert refused.value.response.status_code == 403


async def test_a_slow_websocket_is_told_so(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ROOM", 10)
    async with socket_to(api) as client:
        await told(client)
        publish(api, *[Kind.TURN] * 11)  # in one go: more than its queue takes
        assert (await told(client))["kind"] == "stream.cut"
        with pytest.raises(ConnectionClosed):
            await told(client)
    assert client.close_code == events.TOO_SLOW


async def test_when_the_gateway_stops_its_listeners_are_let_go(tmp_path: Path) -> None:
    async with served(tmp_path) as api:
        listener = await listen(api)
        await listener.hello()
        client = await socket_to(api)
        await told(client)
    with pytest.raises(ConnectionClosed):
        await told(client)
    assert client.close_code == 1001
    with pytest.raises((EOFError, httpx.HTTPError)):
        await listener.event()
