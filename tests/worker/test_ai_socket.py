"""The WebSocket shell against real servers on loopback."""

import asyncio
import http
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import Frame, Opcode

from sipgw.ai.dialect import Connect
from sipgw.ai.events import Failed
from sipgw.options import BackendOptions
from sipgw.worker import ai_socket
from sipgw.worker.ai_connect import backoff
from sipgw.worker.ai_socket import BACKLOG_MESSAGES, AiSocket

LIMIT = 5.0
"""Seconds anything here may take."""


class Ear:
    """A handler that keeps what it hears and can be waited on."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.drops: list[str] = []

    def opened(self) -> None:
        self.heard.put_nowait(("opened",))

    def message(self, message: str | bytes) -> None:
        self.heard.put_nowait(("message", message))

    def failed(self, failure: Failed) -> None:
        self.heard.put_nowait(("failed", failure))

    def lost(self, code: int, reason: str) -> None:
        self.heard.put_nowait(("lost", code, reason))

    def dropped(self, reason: str) -> None:
        self.drops.append(reason)

    async def next(self) -> tuple[Any, ...]:
        return await asyncio.wait_for(self.heard.get(), LIMIT)

    async def failure(self) -> Failed:
        kind, failure = await self.next()
        assert kind == "failed"
        assert isinstance(failure, Failed)
        return failure


Serving = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(handle: Serving, **options: Any) -> AsyncIterator[str]:
    made: Server
    async with serve(handle, "127.0.0.1", 0, **options) as made:
        port = next(iter(made.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/talk"


@asynccontextmanager
async def client(url: str, *, connect: Connect | None = None, **options: Any) -> AsyncIterator[tuple[AiSocket, Ear]]:
    ear = Ear()
    opened = AiSocket(connect or Connect(url), BackendOptions("ai", "sipgw", url=url, **options), ear)
    opened.start()
    try:
        yield opened, ear
    finally:
        opened.close()
        await asyncio.wait_for(opened.wait_closed(), LIMIT)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_text_and_binary_go_both_ways() -> None:
    async with server(echo) as url, client(url) as (opened, ear):
        assert await ear.next() == ("opened",)
        opened.send('{"é":1}')
        opened.send_audio(b"\x00\xff")
        assert await ear.next() == ("message", '{"é":1}')
        assert await ear.next() == ("message", b"\x00\xff")


async def test_headers_and_subprotocol_are_sent() -> None:
    seen: asyncio.Queue[Any] = asyncio.Queue()

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = connection.request.headers
        assert headers["X-Name"] == "Eve X-Evil: 1"
        seen.put_nowait((connection.request.path, headers["Authorization"], connection.subprotocol))

    async with server(handle, subprotocols=["v2"]) as url:
        connect = Connect(url + "?a=b", {"Authorization": "Bearer k", "X-Name": "Eve\r\nX-Evil: 1"}, ("v1", "v2"))
        async with client(url, connect=connect) as (_, ear):
            assert await ear.next() == ("opened",)
            assert await asyncio.wait_for(seen.get(), LIMIT) == ("/talk?a=b", "Bearer k", "v2")


async def test_fragments_are_joined() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send(["one ", "two ", "three"])
        await connection.send([b"1", b"2"])
        await connection.wait_closed()

    async with server(handle) as url, client(url) as (_, ear):
        assert await ear.next() == ("opened",)
        assert await ear.next() == ("message", "one two three")
        assert await ear.next() == ("message", b"12")


@pytest.mark.parametrize(("code", "reason"), [(1000, "bye"), (1013, "busy"), (4004, "app")])
async def test_the_servers_close_code_is_told(code: int, reason: str) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    async with server(handle) as url, client(url) as (_, ear):
        assert await ear.next() == ("opened",)
        assert await ear.next() == ("lost", code, reason)


async def test_a_close_without_a_code_is_1005_and_a_cut_is_1006() -> None:
    async def codeless(connection: ServerConnection) -> None:
        connection.transport.write(b"\x88\x00")
        await connection.wait_closed()

    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    for handle, code in ((codeless, 1005), (cut, 1006)):
        async with server(handle) as url, client(url) as (_, ear):
            assert await ear.next() == ("opened",)
            assert (await ear.next())[:2] == ("lost", code)


async def test_text_that_is_not_utf8_ends_the_connection() -> None:
    async def handle(connection: ServerConnection) -> None:
        connection.transport.write(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=False))
        await connection.wait_closed()

    async with server(handle) as url, client(url) as (_, ear):
        assert await ear.next() == ("opened",)
        assert (await ear.next())[:2] == ("lost", 1007)


@pytest.mark.parametrize("fragments", [1, 4])
async def test_a_message_beyond_the_bound_ends_the_connection(fragments: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ai_socket, "MAX_MESSAGE_BYTES", 3000)

    async def handle(connection: ServerConnection) -> None:
        await connection.send([bytes(4000 // fragments)] * fragments)
        await connection.wait_closed()

    async with server(handle) as url, client(url) as (_, ear):
        assert await ear.next() == ("opened",)
        assert (await ear.next())[:2] == ("lost", 1009)


# --- what keeps it from opening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "name", "permanent"),
    [
        (401, "unauthorized", True),
        (403, "forbidden", True),
        (404, "not_found", True),
        (400, "upgrade_refused", True),
        (302, "upgrade_refused", True),
        (429, "backend_busy", False),
        (503, "upgrade_refused", False),
    ],
)
async def test_a_refused_upgrade_has_a_name(status: int, name: str, permanent: bool) -> None:
    def refuse(connection: ServerConnection, request: object) -> Any:
        response = connection.respond(http.HTTPStatus(status), "no\n")
        response.headers["Location"] = "ws://127.0.0.1:1/elsewhere"
        return response

    async with server(echo, process_request=refuse) as url, client(url) as (_, ear):
        assert await ear.failure() == Failed(name, permanent, f"HTTP {status}")


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_refused_connection_may_be_tried_again() -> None:
    async with client(f"ws://127.0.0.1:{closed_port()}") as (_, ear):
        failure = await ear.failure()
    assert (failure.reason, failure.permanent) == ("connection_refused", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws:///x", "nonsense", ""])
async def test_a_url_that_is_none_will_never_do(url: str) -> None:
    async with client(url) as (_, ear):
        failure = await ear.failure()
    assert (failure.reason, failure.permanent) == ("bad_url", True)


async def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*arguments: object, **more: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with client("ws://ai.invalid/") as (_, ear):
        failure = await ear.failure()
    assert (failure.reason, failure.permanent) == ("name_not_resolved", False)


@asynccontextmanager
async def tcp(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A bare TCP server; connections end with it."""
    writers = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    made = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{made.sockets[0].getsockname()[1]}/"
    finally:
        for writer in writers:
            writer.close()
        made.close()
        await made.wait_closed()


async def test_a_server_that_never_answers_costs_the_connect_timeout() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp(silent) as url, client(url, connect_timeout=0.2) as (opened, ear):
        failure = await ear.failure()
        assert (failure.reason, failure.permanent) == ("connect_timeout", False)
        await asyncio.wait_for(opened.wait_closed(), LIMIT)


async def test_a_server_that_hangs_up_in_the_handshake_or_speaks_no_http() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.test ESMTP\r\n\r\n")
        await reader.read()

    for handle, reason in ((hangs_up, "connection_failed"), (babbles, "not_a_websocket")):
        async with tcp(handle) as url, client(url) as (_, ear):
            assert (await ear.failure()).reason == reason


async def test_closing_while_connecting_leaves_nothing_open() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        gone.set()

    async with tcp(silent) as url, client(url, connect_timeout=60.0) as (opened, ear):
        await asyncio.wait_for(arrived.wait(), LIMIT)
        opened.close()
        await asyncio.wait_for(opened.wait_closed(), LIMIT)
        await asyncio.wait_for(gone.wait(), LIMIT)
        assert ear.heard.empty()


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, made by the openssl program."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", f"{path}.key", "-out", str(path)),
        ],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return path


async def test_tls_trusts_the_named_authority_and_no_other(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    async with server(echo, ssl=context) as url:
        url = url.replace("ws:", "wss:")
        async with client(url, ca_file=str(certificate)) as (opened, ear):
            assert await ear.next() == ("opened",)
            opened.send("hello")
            assert await ear.next() == ("message", "hello")
        async with client(url) as (_, ear):
            failure = await ear.failure()
        assert (failure.reason, failure.permanent) == ("certificate_not_trusted", True)


async def test_tls_to_a_server_without_it() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with tcp(plain) as url, client(url.replace("ws:", "wss:")) as (_, ear):
        failure = await ear.failure()
    assert (failure.reason, failure.permanent) == ("tls_failed", True)


# --- slow and dead backends ---------------------------------------------------------------------------------------


class Got:
    """What a server read, in order."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.news = asyncio.Condition()

    async def add(self, message: str | bytes) -> None:
        async with self.news:
            self.messages.append(message)
            self.news.notify_all()

    async def until(self, last: bytes) -> list[str | bytes]:
        async with asyncio.timeout(LIMIT), self.news:
            await self.news.wait_for(lambda: self.messages[-1:] == [last])
        return self.messages


@asynccontextmanager
async def deaf(**options: Any) -> AsyncIterator[tuple[AiSocket, Ear, asyncio.Event, Got]]:
    """A client whose server reads nothing until the event is set, then everything into the list."""
    read, got = asyncio.Event(), Got()

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await read.wait()
        connection.transport.resume_reading()
        async for message in connection:
            await got.add(message)

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    listener.bind(("127.0.0.1", 0))
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    async with serve(handle, sock=listener), client(url, **options) as (opened, ear):
        try:
            assert await ear.next() == ("opened",)
            yield opened, ear, read, got
        finally:
            read.set()


async def test_a_slow_backend_loses_the_oldest_audio_and_no_control_message() -> None:
    frame = 960
    async with deaf() as (opened, ear, read, got):
        sent = 0
        while not ear.drops:
            opened.send_audio(struct.pack("!I", sent).ljust(frame, b"\0"))
            opened.send(f"control {sent}")
            sent += 1
            assert sent < 20_000
        dropped = len(ear.drops)
        assert set(ear.drops) == {"ai_backlog"}
        last = struct.pack("!I", sent).ljust(frame, b"\0")
        opened.send_audio(last)
        read.set()
        messages = await got.until(last)
    control = [message for message in messages if isinstance(message, str)]
    audio = [struct.unpack("!I", message[:4])[0] for message in messages if isinstance(message, bytes)]
    assert control == [f"control {number}" for number in range(sent)]
    missing = sorted(set(range(sent + 1)) - set(audio))
    assert audio == sorted(audio)
    assert len(missing) == dropped + 1
    # What is missing is the oldest of what waited, not the newest.
    assert missing[-1] < sent - BACKLOG_MESSAGES + 2


async def test_a_backend_that_takes_nothing_any_more_is_given_up() -> None:
    async with deaf(ping_timeout=0.0, ping_interval=0.0) as (opened, ear, _, _):
        for _ in range(2000):
            opened.send_audio(bytes(960))
        assert await ear.next() == ("lost", 1008, "reads too slowly")


async def test_a_ping_without_an_answer_is_a_lost_connection() -> None:
    async with deaf(ping_interval=0.1, ping_timeout=0.1) as (_, ear, _, _):
        kind, code, reason = await ear.next()
        assert (kind, code) == ("lost", 1006)
        assert "ping" in reason


async def test_an_answered_ping_keeps_the_connection() -> None:
    async with server(echo) as url, client(url, ping_interval=0.05, ping_timeout=0.05) as (opened, ear):
        assert await ear.next() == ("opened",)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ear.heard.get(), 0.3)
        opened.send("still here")
        assert await ear.next() == ("message", "still here")


# --- closing ------------------------------------------------------------------------------------------------------


async def test_closing_says_so_to_the_server_and_nothing_more_to_us() -> None:
    closed: asyncio.Queue[Any] = asyncio.Queue()

    async def handle(connection: ServerConnection) -> None:
        async for _ in connection:
            pass
        closed.put_nowait((connection.close_code, connection.close_reason))

    async with server(handle) as url, client(url) as (opened, ear):
        assert await ear.next() == ("opened",)
        opened.close(1000, "call over")
        opened.send("too late")
        await asyncio.wait_for(opened.wait_closed(), LIMIT)
        assert await asyncio.wait_for(closed.get(), LIMIT) == (1000, "call over")
        assert ear.heard.empty()


async def test_a_long_reason_is_cut_to_what_a_close_frame_holds() -> None:
    closed: asyncio.Queue[Any] = asyncio.Queue()

    async def handle(connection: ServerConnection) -> None:
        await connection.wait_closed()
        closed.put_nowait((connection.close_code, connection.close_reason))

    async with server(handle) as url, client(url) as (opened, ear):
        assert await ear.next() == ("opened",)
        opened.close(1000, "é" * 200)
        assert await asyncio.wait_for(closed.get(), LIMIT) == (1000, "é" * 61)


async def test_a_server_that_does_not_answer_the_close_is_cut_off() -> None:
    async with deaf(ping_interval=0.0) as (opened, ear, _, _):
        began = asyncio.get_running_loop().time()
        opened.close()
        await asyncio.wait_for(opened.wait_closed(), LIMIT)
        assert asyncio.get_running_loop().time() - began < ai_socket.CLOSE_TIMEOUT + 1.0
        assert ear.heard.empty()


def test_reconnections_wait_longer_and_never_in_step() -> None:
    assert [backoff(attempt, lambda: 1.0) for attempt in range(6)] == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0]
    assert backoff(2, lambda: 0.0) == 0.5
