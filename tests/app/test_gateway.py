"""A whole gateway on loopback, as its settings make it."""

import asyncio
import gc
import io
import json
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from sipgw.app import gateway as module
from sipgw.app.gateway import Gateway
from sipgw.errors import Unavailable
from sipgw.flow import Flow
from sipgw.settings import Settings
from tests.ports import free_port


def settings(**more: Any) -> Settings:
    given: dict[str, Any] = {
        "workers": 0,
        "sip": {"port": free_port(), "t1": 0.05, "t2": 0.2},
        "media": {"ports": "20700-20709"},
        "backends": {"tone": {"dialect": "tone"}},
        "routes": [{"targets": ["tone"], "anyone": True, "max_duration": 0.1}],
    }
    return Settings.model_validate({**given, **more})


def logger(stream: io.StringIO) -> structlog.typing.FilteringBoundLogger:
    made: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    )
    return made


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def start(out: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Starts gateways, and stops them afterwards."""
    made: list[Gateway] = []
    monkeypatch.setattr(gc, "freeze", lambda: None)

    async def started(**more: Any) -> Gateway:
        gateway = Gateway(settings(state=str(tmp_path), **more), logger(out))
        made.append(gateway)
        await gateway.start()
        return gateway

    yield started
    for gateway in made:
        await gateway.stop()


def line(out: io.StringIO, event: str) -> dict[str, Any]:
    """The log's one line of that name."""
    (found,) = [one for one in map(json.loads, out.getvalue().splitlines()) if one["event"] == event]
    return dict(found)


class Caller:
    """A phone on a socket, as blunt as can be."""

    def __init__(self, gateway: Gateway) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.setblocking(False)
        self._port = self._sock.getsockname()[1]
        self._gateway = gateway.address
        self._to = "<sip:tone@127.0.0.1>"

    def request(self, method: str, body: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} sip:tone@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{method}\r\n"
            f"From: <sip:me@127.0.0.1>;tag=me\r\nTo: {self._to}\r\nCall-ID: one\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:me@127.0.0.1:{self._port}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._sock.sendto(text.encode(), self._gateway)

    async def gets(self, start: str) -> str:
        """The next message that begins so."""
        while True:
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._sock, 65_535), 3)
            if data.decode().startswith(start):
                return data.decode()

    async def calls(self) -> None:
        """From the INVITE to the ACK."""
        self.request(
            "INVITE", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        )
        ok = await self.gets("SIP/2.0 200")
        self._to = next(line for line in ok.split("\r\n") if line.startswith("To:")).removeprefix("To: ")
        self.request("ACK")

    def answers(self, request: str) -> None:
        rows = [one for one in request.split("\r\n") if one.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
        self._sock.sendto("\r\n".join(("SIP/2.0 200 OK", *rows, "", "")).encode(), self._gateway)

    def close(self) -> None:
        self._sock.close()


async def test_a_datagram_the_system_has_no_room_for_is_sent_again(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = await start()
    caller = Caller(gateway)
    await caller.calls()
    signalling = gateway._signalling
    really, full = signalling.driver._send, iter([True])

    def send(data: bytes, flow: Flow) -> None:
        if data.startswith(b"BYE") and next(full, False):
            signalling.refused("EAGAIN", flow)
        else:
            really(data, flow)

    monkeypatch.setattr(signalling.driver, "_send", send)
    bye = await caller.gets("BYE")
    caller.answers(bye)
    caller.close()


async def test_stopping_hangs_up_what_is_still_up_and_waits_for_the_answer(start: Callable[..., Any]) -> None:
    gateway = await start(routes=[{"targets": ["tone"], "anyone": True}])
    caller = Caller(gateway)
    await caller.calls()
    stopping = asyncio.create_task(gateway.stop())
    bye = await caller.gets("BYE")
    assert "shutdown" in bye
    assert not stopping.done()
    caller.answers(bye)
    await asyncio.wait_for(stopping, 1)
    caller.close()


async def test_the_ready_line_names_what_is_listened_to(start: Callable[..., Any], out: io.StringIO) -> None:
    gateway = await start()
    host, port = gateway.address
    assert line(out, "ready") == {
        "event": "ready",
        "sip": f"udp:{host}:{port}, tcp:{host}:{port}",
        "rtp": "127.0.0.1:20700-20709",
    }


async def test_too_few_descriptors_are_told_at_the_start(
    start: Callable[..., Any], out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "raise_descriptor_limit", lambda wanted: 1036)
    await start()
    told = line(out, "few descriptors")
    assert (told["limit"], told["wanted"], told["calls"]) == (1036, 1024 + 6 * 5, 2)


async def test_descriptors_are_asked_for_as_many_calls_as_may_come(start: Callable[..., Any], out: io.StringIO) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    await start(calls={"max_calls": 1})
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1030
    assert "few descriptors" not in out.getvalue()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_port_that_is_taken_is_named_and_leaves_nothing_open(out: io.StringIO, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        gateway = Gateway(settings(state=str(tmp_path), metrics={"port": taken}), logger(out))
        with pytest.raises(Unavailable, match=f"{taken}.*SIPGW_METRICS_PORT"):
            await gateway.start()
    await gateway.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(gateway.address)


async def test_records_follow_a_clock_that_was_set_after_the_start(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = await start()
    before = gateway._calls._around.wall(gateway._clock.now())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert gateway._calls._around.wall(gateway._clock.now()) - before == pytest.approx(3600, abs=1)


async def test_draining_without_calls_is_over_at_once(start: Callable[..., Any]) -> None:
    gateway = await start()
    await asyncio.wait_for(gateway.drain(), 1)
