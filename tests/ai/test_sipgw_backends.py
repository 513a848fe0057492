"""The `sipgw` dialect with real servers on a real WebSocket: the scripted one, the example, and a plain echo."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from sipgw.ai.events import (
    BackendEvent,
    CallFacts,
    Clear,
    DigitPressed,
    Ended,
    Failed,
    GatewayEvent,
    HangUpWish,
    MarkReached,
    PlaceMark,
    Ready,
    Speech,
    SpeechEnded,
    Started,
    TransferWish,
)
from sipgw.ai.sipgw_protocol import SipgwProtocol
from sipgw.options import BackendOptions
from tests.fakes.backend import CloseWith, Drop, FakeBackend, Script, Voice, Wait

FACTS = CallFacts("n1-1", caller="+4420")
FRAME = bytes(range(240)) * 4
EXAMPLE = Path(__file__).parents[2] / "config" / "backends" / "example_backend.py"


class Line:
    """The dialect on a socket."""

    def __init__(self, url: str, **settings: object) -> None:
        self.dialect = SipgwProtocol(BackendOptions("b", "sipgw", url, settings=settings), FACTS)
        self.heard: list[BackendEvent] = []
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Line"]:
        """Open for the length of the block."""
        wanted = self.dialect.open(0.0)
        assert wanted is not None
        async with connect(wanted.url, subprotocols=[Subprotocol(name) for name in wanted.subprotocols]) as socket:
            self._socket = socket
            self.dialect.connected(0.0)
            reader = asyncio.create_task(self._read())
            await self.flush()
            yield self
        await reader

    async def _read(self) -> None:
        try:
            while True:
                self.dialect.receive(await self._socket.recv(), 0.0)
                await self._take()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            self.dialect.disconnected(code, "", 0.0)
        await self._take()

    async def _take(self) -> None:
        self.heard += self.dialect.events()
        async with self._news:
            self._news.notify_all()

    async def flush(self) -> None:
        for message in self.dialect.to_send():
            await self._socket.send(message)
        await self._take()

    async def tell(self, *events: GatewayEvent) -> None:
        for event in events:
            self.dialect.send(event, 0.0)
        await self.flush()

    async def voice(self, frame: bytes) -> None:
        message = self.dialect.audio(frame, 0.0)
        assert message is not None
        await self._socket.send(message)

    async def hears(self, event: BackendEvent, within: float = 5.0) -> None:
        await self.until(lambda: event in self.heard, within)

    async def until(self, done: Callable[[], bool], within: float = 5.0) -> None:
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(done)


# --- the scripted backend -----------------------------------------------------------------------------------------


async def test_a_scripted_conversation_from_greeting_to_hang_up() -> None:
    script: Script = {
        "open": [Voice(FRAME * 20, "greeting"), {"type": "mark", "name": "greeted"}],
        "mark greeted": [{"type": "transfer", "id": "t1", "target": "sales"}],
        "dtmf *": [{"type": "clear"}],
        "dtmf": [{"type": "hang_up", "reason": "enough"}],
    }
    async with FakeBackend(script) as backend, Line(backend.url).connected() as line:
        await line.tell(Started())
        await line.hears(PlaceMark("greeted"))
        speech = [event for event in line.heard if isinstance(event, Speech)]
        assert b"".join(event.audio for event in speech) == FRAME * 20
        assert {event.item for event in speech} == {"greeting"}
        assert SpeechEnded("greeting") in line.heard
        await line.tell(MarkReached("greeted"))
        await line.hears(TransferWish("sales", "t1"))
        await line.tell(DigitPressed("*", 100))
        await line.hears(Clear())
        await line.hears(HangUpWish(reason="enough"))
        await line.voice(FRAME)
        await line.tell(Ended("over"))
        await backend.sent("end")
        assert backend.last.audio == FRAME
        assert backend.last.of("start")[0]["call"]["caller"] == "+4420"
        assert backend.last.headers["Sec-WebSocket-Protocol"] == "sipgw.v1"
    assert backend.last.closed == 1000


@pytest.mark.parametrize("subprotocol", [True, False])
async def test_an_echo_that_selects_no_subprotocol_is_a_backend(subprotocol: bool) -> None:
    async with FakeBackend(echo=True, subprotocol=subprotocol) as backend, Line(backend.url).connected() as line:
        assert line.heard == [Ready()]
        await line.voice(FRAME)
        await line.hears(Speech(FRAME))


async def test_a_script_may_take_its_time_to_be_ready() -> None:
    script: Script = {"start": [Wait(0.05), {"type": "ready"}]}
    async with FakeBackend(script) as backend, Line(backend.url, wait_ready=True).connected() as line:
        assert line.heard == []
        await line.hears(Ready())


async def test_a_crash_is_a_failure_and_a_normal_close_a_hang_up() -> None:
    async with FakeBackend({"dtmf 1": [Drop()], "dtmf 2": [CloseWith(1000)]}) as backend:
        async with Line(backend.url).connected() as line:
            await line.tell(Started(), DigitPressed("1", 100))
            await line.hears(Failed("connection_lost", detail="1006"))
        async with Line(backend.url).connected() as line:
            await line.tell(Started(), DigitPressed("2", 100))
            await line.hears(HangUpWish(reason="backend_closed"))
        assert len(backend.conversations) == 2


async def test_a_script_may_refuse_the_connection() -> None:
    async with FakeBackend(refuse=503) as backend:
        with pytest.raises(InvalidStatus, match="503"):
            await connect(backend.url)


async def test_a_script_may_never_answer() -> None:
    async with FakeBackend(mute=True) as backend:
        with pytest.raises(TimeoutError):
            await connect(backend.url, open_timeout=0.05)


async def test_a_message_the_schema_does_not_know_is_noticed() -> None:
    backend = FakeBackend(subprotocol=False)
    await backend.__aenter__()
    async with connect(backend.url) as socket:
        await socket.send(json.dumps({"type": "colour"}))
        await backend.sent("colour")
    with pytest.raises(AssertionError, match="colour"):
        await backend.__aexit__()


# --- servers that know nothing of tests ---------------------------------------------------------------------------


async def test_the_shortest_echo_server_there_is() -> None:
    async def converse(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Line(f"ws://127.0.0.1:{port}/").connected() as line:
            await line.tell(Started())
            await line.voice(FRAME)
            await line.hears(Speech(FRAME))


def example() -> ModuleType:
    """The example, as the module it is not a part of any package as."""
    spec = importlib.util.spec_from_file_location("example_backend", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_example_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    module = example()
    async with serve(module.converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Line(f"ws://127.0.0.1:{port}/").connected() as line:
            await line.tell(Started())
            await line.hears(Speech(module.beep(24_000)))
            await line.voice(FRAME)
            await line.hears(Speech(FRAME))
            await line.tell(DigitPressed("*", 100), DigitPressed("0", 100), DigitPressed("#", 100))
            await line.hears(Clear())
            await line.hears(TransferWish("reception", "t1"))
            await line.hears(HangUpWish())
    assert capsys.readouterr().out == "+4420 calls\n"


def test_the_example_is_short_enough_to_read_at_a_glance() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 41
