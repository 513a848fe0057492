"""Counters, and how they are scraped."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from sipgw.io.sockets import PortTaken
from sipgw.ops.metrics import Metrics
from sipgw.trace import Mark, Note


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    metrics.render()
    return metrics.registry.get_sample_value(name, labels)


def test_a_call_counts_while_it_is_up_and_by_its_cause_when_it_ends() -> None:
    metrics = Metrics()
    metrics.call_began()
    metrics.call_began()
    assert value(metrics, "sipgw_calls_active") == 2
    metrics.call_ended("normal", answered=True, seconds=12.5, first_audio_ms=400)
    metrics.call_ended("not_found", answered=False)
    assert value(metrics, "sipgw_calls_active") == 0
    assert value(metrics, "sipgw_calls_total", outcome="answered", cause="normal") == 1
    assert value(metrics, "sipgw_calls_total", outcome="refused", cause="not_found") == 1
    assert value(metrics, "sipgw_call_seconds_total") == 12.5
    assert value(metrics, "sipgw_first_audio_seconds_count") == 1
    assert value(metrics, "sipgw_first_audio_seconds_bucket", le="0.5") == 1
    assert value(metrics, "sipgw_first_audio_seconds_bucket", le="0.25") == 0


def test_drops_are_counted_by_layer_and_reason_and_nothing_else_is() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.trace(Note(0.0, "rtp", Mark.DROP, "too_short"))
    metrics.trace(Note(0.0, "sip", Mark.IN, "invite"))
    assert value(metrics, "sipgw_drops_total", layer="rtp", reason="too_short") == 3
    metrics.trace(Note(0.0, "rtp", Mark.DROP, "too_short"))
    assert value(metrics, "sipgw_drops_total", layer="rtp", reason="too_short") == 4
    assert value(metrics, "sipgw_drops_total", layer="sip", reason="invite") is None


def test_calls_refused_without_being_taken_on_count_as_refused() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.turned_away("overload")
    metrics.call_began()
    metrics.call_ended("overload", answered=False)
    assert value(metrics, "sipgw_calls_total", outcome="refused", cause="overload") == 4
    assert value(metrics, "sipgw_calls_active") == 0


def test_messages_that_could_not_be_sent_are_counted() -> None:
    metrics = Metrics()
    metrics.send_error("ENETUNREACH")
    assert value(metrics, "sipgw_send_errors_total", error="ENETUNREACH") == 1


@pytest.fixture
async def server() -> AsyncIterator[asyncio.Server]:
    started = await Metrics().serve("127.0.0.1", 0)
    yield started
    started.close()
    await started.wait_closed()


async def ask(server: asyncio.Server, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 2)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_metrics_are_scraped_over_http(server: asyncio.Server) -> None:
    head, _, body = (await ask(server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=")
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert b"\nsipgw_calls_active 0.0\n" in body


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1", b"404"),
        (b"GET /metrics/../etc HTTP/1.1", b"404"),
        (b"POST /metrics HTTP/1.1", b"405"),
        (b"", b"404"),
        (b"\xff\xfe", b"404"),
    ],
)
async def test_other_requests_are_refused(server: asyncio.Server, request_line: bytes, status: bytes) -> None:
    assert (await ask(server, request_line + b"\r\n\r\n")).startswith(b"HTTP/1.1 " + status)


async def test_a_request_without_end_gets_no_answer_and_no_memory(server: asyncio.Server) -> None:
    assert await ask(server, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000) == b""
    assert b"200 OK" in await ask(server, b"GET /metrics HTTP/1.1\r\n\r\n")


async def test_a_taken_port_is_named_with_what_moves_it() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(PortTaken, match=r"SIPGW_METRICS_PORT or metrics\.port moves ours"):
            await Metrics().serve("127.0.0.1", stranger.getsockname()[1])
