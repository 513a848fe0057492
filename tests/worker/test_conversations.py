"""A conversation with its socket and its playout, against a server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sipgw.ai.dialect import Connect, Dialect
from sipgw.ai.events import (
    AudioFormat,
    BackendEvent,
    CallFacts,
    Closed,
    Failed,
    GatewayEvent,
    HangUpWish,
    Open,
    Ready,
    Report,
    Say,
    Speech,
    Spent,
    ToolResult,
    Transcript,
    Turn,
    WantsHangUp,
)
from sipgw.ai.openai_realtime import OpenAIRealtime
from sipgw.audio.playout import Playout
from sipgw.media.plane import ConnectBackend
from sipgw.options import BackendOptions
from sipgw.trace import Note
from sipgw.worker import conversations
from sipgw.worker.ai_socket import AiSocket
from sipgw.worker.conversations import Talk
from tests.fakes.realtime import LIMIT, Realtime, realtime

FRAME = 960
"""Bytes of 20 ms at 24 kHz."""


class Desk:
    """Where a talk's reports arrive."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.errors: list[Exception] = []
        self.notes: list[Note] = []
        self.sockets: set[AiSocket] = set()
        self.playout = Playout(24_000)
        self._news = asyncio.Event()

    def report(self, report: Report) -> None:
        self.reports.append(report)
        self._news.set()

    def broken(self, error: Exception) -> None:
        self.errors.append(error)
        self._news.set()

    async def told(self, wanted: type[Any] | Callable[[Report], bool], within: float = LIMIT) -> Any:
        """The first report that is wanted, past or to come."""
        test = (lambda report: isinstance(report, wanted)) if isinstance(wanted, type) else wanted
        async with asyncio.timeout(within):
            while not (found := [report for report in self.reports if test(report)]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    def talk(self, url: str = "", dialect: Dialect | None = None, farewell_limit: float = 10.0, **options: Any) -> Talk:
        settings = {"instructions": "x", **options.pop("settings", {})}
        backend = BackendOptions("ai", "openai-realtime", url=url, settings=settings, **options)
        facts = CallFacts("c1")
        command = ConnectBackend("s1", 1, backend, facts, farewell_limit)
        dialect = dialect or OpenAIRealtime(backend, facts)
        return Talk(command, dialect, self.playout, self.report, self.broken, self.sockets, self.notes.append)

    async def gone(self) -> None:
        """Wait until no socket is left."""
        async with asyncio.timeout(LIMIT):
            for each in list(self.sockets):
                await each.wait_closed()
        await asyncio.sleep(0)
        assert self.sockets == set()


@contextlib.asynccontextmanager
async def talking(server: Realtime, **options: Any) -> AsyncIterator[tuple[Desk, Talk]]:
    """A conversation that is open."""
    desk = Desk()
    talk = desk.talk(server.url, **options)
    talk.start()
    try:
        await desk.told(Ready)
        talk.intent(Open())
        yield desk, talk
    finally:
        talk.end("test over")
        await desk.gone()
        assert desk.errors == []


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes with the loop's next turns."""
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_conversation_gets_ready_and_audio_goes_both_ways() -> None:
    async with realtime() as server, talking(server) as (desk, talk):
        talk.audio(b"\1\0" * (FRAME // 2))
        assert await server.heard(FRAME) == b"\1\0" * (FRAME // 2)
        await server.speak(b"\2\0" * FRAME)
        await until(lambda: desk.playout.queued_ms == 40)
        assert desk.playout.take(FRAME) == b"\2\0" * (FRAME // 2)


async def test_the_last_report_is_what_it_came_to() -> None:
    async with realtime() as server:
        async with talking(server) as (desk, talk):
            talk.audio(bytes(FRAME))
            assert await server.heard(FRAME)
        talk.cut()
    assert [type(report) for report in desk.reports[-2:]] == [Closed, Spent]
    spent = desk.reports[-1]
    assert isinstance(spent, Spent)
    assert spent.heard_ms == 20
    assert spent.connected_ms is not None


async def test_audio_before_the_call_is_open_is_not_sent() -> None:
    async with realtime() as server:
        desk = Desk()
        talk = desk.talk(server.url)
        talk.start()
        await desk.told(Ready)
        talk.audio(bytes(FRAME))
        talk.intent(Open())
        talk.audio(b"\1" * FRAME)
        assert await server.heard(FRAME) == b"\1" * FRAME
        talk.end("done")
        await desk.gone()


async def test_barge_in_clears_at_once_and_tells_what_was_sent() -> None:
    async with realtime() as server, talking(server) as (desk, talk):
        await server.say("response.created", response={"id": "r1"})
        await server.speak(b"\2\0" * FRAME * 10)
        await until(lambda: desk.playout.queued_ms == 400)
        for _ in range(5):
            desk.playout.take(FRAME)
        for event in desk.playout.events():
            talk.playout_event(event)
        await server.say("input_audio_buffer.speech_started")
        truncated = await server.got("conversation.item.truncate")
        assert (truncated["item_id"], truncated["audio_end_ms"]) == ("i1", 100)
        assert desk.playout.queued_ms == 0
        # What is still on its way of that utterance never plays.
        await server.speak(b"\2\0" * FRAME)
        await server.speak(b"\3\0" * FRAME, item="i2")
        await until(lambda: desk.playout.queued_ms > 0)
        while (frame := desk.playout.take(FRAME)) is not None and frame[:2] != b"\3\0":
            assert set(frame) <= {0, 1, 2}, "only the fade of what was cut"
        assert desk.playout.queued_ms == 20
        assert [note.name for note in desk.notes].count("stale_speech") == 1


async def test_digits_intents_and_reports_pass() -> None:
    async with realtime() as server, talking(server) as (desk, talk):
        talk.digit("7", 100)
        item = (await server.got("conversation.item.create"))["item"]
        assert "7" in item["content"][0]["text"]
        talk.intent(Say("Hold on."))
        assert "Hold on." in str(await server.got("response.create", 2))
        await server.say("response.output_audio_transcript.done", transcript="Yes.", item_id="i1")
        assert await desk.told(Transcript) == Transcript("agent", "Yes.", item="i1")
        await server.say("response.function_call_arguments.done", call_id="f1", name="hang_up", arguments="{}")
        assert await desk.told(WantsHangUp) == WantsHangUp("f1", "")
        talk.intent(ToolResult("f1", "{}"))
        assert (await server.got("conversation.item.create", 2))["item"]["call_id"] == "f1"


async def test_a_turns_delay_is_measured_at_the_first_packet() -> None:
    async with realtime() as server, talking(server) as (desk, talk):
        await server.say("input_audio_buffer.speech_started")
        await server.say("input_audio_buffer.speech_stopped")
        await server.speak(b"\2\0" * FRAME)
        await until(lambda: desk.playout.queued_ms == 40)
        desk.playout.take(FRAME)
        for event in desk.playout.events():
            talk.playout_event(event)
        turn = await desk.told(Turn)
        assert 0 <= turn.latency_ms < 5000


async def test_closing_says_good_bye_and_reports_it() -> None:
    async with realtime() as server, talking(server) as (desk, talk):
        talk.end("caller hung up")
        assert await desk.told(Closed) == Closed("caller hung up")
        assert await server.ended() == (1000, "caller hung up")
        await server.connections[0].wait_closed()
        assert not [report for report in desk.reports if isinstance(report, Failed)]


async def test_a_lost_backend_is_reported() -> None:
    async with realtime() as server, talking(server) as (desk, _):
        await server.connections[0].close(1011, "oops")
        assert await desk.told(Failed) == Failed("backend_internal_error", False, "1011 oops")


async def test_a_backend_lost_in_the_call_is_opened_again_as_often_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "backoff", lambda attempt: 0.0)
    async with realtime() as server, talking(server, reconnects=1) as (desk, talk):
        await server.connections[0].close(1011, "oops")
        await server.got("session.update", 2)
        server.audio = b""
        async with asyncio.timeout(LIMIT):
            while not server.audio:
                talk.audio(b"\5" * FRAME)
                await asyncio.sleep(0.005)
        assert not [report for report in desk.reports if isinstance(report, Failed)]
        await server.connections[1].close(1011, "again")
        assert await desk.told(Failed) == Failed("backend_internal_error", False, "1011 again")


async def test_a_backend_that_never_gets_ready_fails_in_time() -> None:
    async with realtime() as server:
        server.sets_up = False
        desk = Desk()
        talk = desk.talk(server.url, connect_timeout=0.2)
        talk.start()
        assert await desk.told(Failed) == Failed("setup_timeout")
        talk.end("done")
        await desk.gone()


async def test_a_backend_that_cannot_be_reached_fails() -> None:
    desk = Desk()
    talk = desk.talk("ws://127.0.0.1:9/")
    talk.start()
    assert (await desk.told(Failed)).reason == "connection_refused"
    talk.end("done")
    await desk.gone()


class Scripted:
    """A built-in dialect that does what the test says."""

    audio_format = AudioFormat.PCM16_24K
    frame_ms = 20

    def __init__(self, due: float | None = None, fails: bool = False) -> None:
        self.due = due
        self.fails = fails
        self.said: list[BackendEvent] = []
        self.told: list[GatewayEvent] = []

    def open(self, now: float) -> Connect | None:
        self.said.append(Ready())
        return None

    def connected(self, now: float) -> None:
        raise AssertionError("there is no socket")

    def disconnected(self, code: int, reason: str, now: float) -> None: ...

    def receive(self, message: str | bytes, now: float) -> None: ...

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        if self.fails:
            raise RuntimeError("a defect")
        self.said.append(Speech(bytes(frame), "echo"))
        return None

    def send(self, event: GatewayEvent, now: float) -> None:
        self.told.append(event)

    def handle_timers(self, now: float) -> None:
        if self.due is not None and now >= self.due:
            self.due = None
            self.said.append(HangUpWish(reason="time"))

    def next_timer(self) -> float | None:
        return self.due

    def to_send(self) -> list[str | bytes]:
        return []

    def events(self) -> list[BackendEvent]:
        taken, self.said = self.said, []
        return taken


async def test_a_built_in_backend_needs_no_socket() -> None:
    desk = Desk()
    talk = desk.talk(dialect=Scripted())
    talk.start()
    assert desk.reports == [Ready()]
    talk.intent(Open())
    talk.audio(b"\1" * FRAME)
    assert desk.playout.take(FRAME) == b"\1" * FRAME
    assert desk.sockets == set()
    talk.end("done")


async def test_a_dialects_timer_fires() -> None:
    desk = Desk()
    talk = desk.talk(dialect=Scripted(due=asyncio.get_running_loop().time() + 0.05))
    talk.start()
    talk.intent(Open())
    assert await desk.told(WantsHangUp) == WantsHangUp("", "time")
    talk.end("done")


async def test_last_words_that_take_longer_than_control_allows_do_not_keep_the_call() -> None:
    desk = Desk()
    now = asyncio.get_running_loop().time()
    talk = desk.talk(dialect=Scripted(due=now + 0.05), farewell_limit=0.2)
    talk.start()
    talk.intent(Open())
    talk.audio(bytes(FRAME))  # comes back as speech, which nobody ever takes
    await desk.told(WantsHangUp)
    assert 0.2 <= asyncio.get_running_loop().time() - now < 2.0
    talk.end("done")


async def test_a_defect_ends_this_talk_and_is_told_once() -> None:
    desk = Desk()
    talk = desk.talk(dialect=Scripted(fails=True))
    talk.start()
    talk.intent(Open())
    talk.audio(bytes(FRAME))
    talk.audio(bytes(FRAME))
    talk.digit("1", 100)
    assert [str(error) for error in desk.errors] == ["a defect"]
