"""What does not even get as far as the app: other hosts, other origins, too much, too slowly, all at once."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.ops.api import gate, server
from tests.fakes.api_gateway import view
from tests.ops.api.served import Served, served


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, hosts=("pbx.example",), origins=("https://desk.example/",)) as made:
        made.gateway.add(view(1))
        yield made


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8060", 200), ("localhost", 200), ("[::1]:8060", 200), ("192.0.2.1", 200), ("PBX.example:80", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421),
    ],
)  # fmt: skip
async def test_names_that_are_ours(api: Served, host: str, status: int) -> None:
    response = await api.client.get("/healthz", headers={"Host": host})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://desk.example", 200), ("http://127.0.0.1:8060", 200), ("https://evil.example", 403), ("null", 403)],
)
async def test_pages_that_may_use_it(api: Served, origin: str, status: int) -> None:
    response = await api.client.get("/v1/calls", headers={"Host": "127.0.0.1:8060", "Origin": origin})
    assert response.status_code == status
    if status == 403:
        assert "api.origins" in response.json()["detail"]


async def test_a_body_has_an_end(api: Served) -> None:
    response = await api.client.post("/v1/calls/n1-0001/say", content=b"x" * (gate.LARGEST_BODY + 1))
    assert response.status_code == 413


async def test_a_body_that_takes_too_long(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_LIMIT", 0.05)
    reader, writer = await asyncio.open_connection(*api.address)
    writer.write(b"POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert not api.gateway.draining


async def test_a_connection_has_to_ask_for_something(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEADER_LIMIT", 0.05)
    reader, writer = await asyncio.open_connection(*api.address)
    writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()


async def test_headers_have_an_end(api: Served) -> None:
    reader, writer = await asyncio.open_connection(*api.address)
    writer.write(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 100_000)
    assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_requests_that_come_at_once_begin_one_after_another() -> None:
    began: list[float] = []
    loop = asyncio.get_running_loop()

    async def app(scope: object, receive: object, send: object) -> None:
        began.append(loop.time())

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None: ...

    one = gate.Gate(app)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}
    await asyncio.gather(*(one(scope, receive, send) for _ in range(20)))
    assert len(began) == 20
    assert all(later - earlier >= 0.8 * gate.INTERVAL for earlier, later in itertools.pairwise(began))
