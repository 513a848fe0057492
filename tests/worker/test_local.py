"""The media plane in our own loop: real RTP sockets, real backends, through the seam's encoding."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from sipgw.ai.events import CallFacts, Close, Closed, Failed, Open, Ready, Transcript
from sipgw.audio.playout import Playout
from sipgw.media import plane
from sipgw.media.session import Session
from sipgw.options import BackendOptions, MediaOptions
from sipgw.trace import Mark, Note
from sipgw.worker.local import LocalPlane
from sipgw_codecs.g711 import PCMU
from tests.fakes.realtime import LIMIT, realtime
from tests.fakes.rtp_phone import SILENCE, RtpPhone

PROMPT = (8000 * np.sin(2 * np.pi * 1000 * np.arange(24_000 // 5) / 24_000)).astype("<i2").tobytes()
"""200 ms of 1 kHz."""


class Control:
    """The control process's side of the seam."""

    def __init__(self, **options: Any) -> None:
        self.events: list[plane.Event] = []
        self.notes: list[Note] = []
        self._news = asyncio.Event()
        self.plane = LocalPlane(MediaOptions(**options), {"apology": PROMPT}, self.notes.append)
        self.plane.listen(self.take)

    def take(self, event: plane.Event) -> None:
        self.events.append(event)
        self._news.set()

    async def told(self, wanted: type[Any] | Callable[[Any], bool], session: str = "s1") -> Any:
        """The first event of the session that is wanted, past or to come."""

        def test(event: plane.Event) -> bool:
            return isinstance(event, wanted) if isinstance(wanted, type) else bool(wanted(event))

        async with asyncio.timeout(LIMIT):
            while not (found := [event for event in self.events if event.session == session and test(event)]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def report(self, kind: type[Any], attempt: int = 1) -> Any:
        """The first report of a kind from an attempt."""

        def wanted(event: plane.Event) -> bool:
            return isinstance(event, plane.Reported) and event.attempt == attempt and isinstance(event.report, kind)

        return (await self.told(wanted)).report

    def connect(self, dialect: str, url: str = "", attempt: int = 1, session: str = "s1", **options: Any) -> None:
        backend = BackendOptions("ai", dialect, url=url, **options)
        self.plane.command(plane.ConnectBackend(session, attempt, backend, CallFacts("c1")))

    def drops(self) -> list[str]:
        return [note.name for note in self.notes if note.mark is Mark.DROP]


@contextlib.asynccontextmanager
async def control(**options: Any) -> AsyncIterator[Control]:
    """A plane, closed at the end; nothing may be left of it."""
    made = Control(**options)
    try:
        yield made
    finally:
        await made.plane.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert [task for task in others if "AiSocket" in repr(task)] == []


@contextlib.asynccontextmanager
async def session(made: Control, name: str = "s1") -> AsyncIterator[tuple[RtpPhone, tuple[str, int]]]:
    """A session on sockets of control's, and the phone it talks to."""
    phone = await RtpPhone.open()
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in pair:
        each.bind(("127.0.0.1", 0))
    host, port = phone.address
    stream = plane.Stream("PCMU", (host, port), (host, port + 1), (0,), 0, dtmf_receive_type=101)
    made.plane.command(plane.CreateSession(name, "c1", stream), (pair[0].fileno(), pair[1].fileno()))
    try:
        yield phone, pair[0].getsockname()
    finally:
        phone.close()
        for each in pair:
            each.close()


def speech(packets: list[Any]) -> bytes:
    return b"".join(packet.payload for packet in packets)


def loudest_hz(payload: bytes) -> float:
    pcm = PCMU.decode(np.frombuffer(payload, np.uint8)).astype(float)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum[5:]) + 5) * 8000 / len(pcm)


async def test_rtp_leaves_from_the_start_on_and_never_stops() -> None:
    async with control() as made, session(made) as (phone, _):
        await asyncio.sleep(0.05)
        assert phone.heard == []
        made.plane.command(plane.StartSession("s1"))
        packets = await phone.until(10)
        assert {packet.payload for packet in packets} == {SILENCE}
        assert [packet.sequence for packet in packets] == [(packets[0].sequence + n) & 0xFFFF for n in range(10)]
        assert [packet.marker for packet in packets] == [True] + [False] * 9


async def test_the_first_packet_and_keys_are_told() -> None:
    async with control() as made, session(made) as (phone, at):
        made.plane.command(plane.StartSession("s1"))
        phone.send(at, SILENCE)
        await made.told(plane.FirstPacket)
        phone.timestamp += 160
        when = phone.timestamp
        for volume_and_end, duration in ((10, 160), (10, 320), (0x8A, 480), (0x8A, 480)):
            phone.timestamp = when
            phone.send(at, bytes([5, volume_and_end]) + duration.to_bytes(2, "big"), 101)
        digit = await made.told(plane.Digit)
        assert (digit.digit, digit.duration_ms) == ("5", 60)


async def test_the_caller_hears_itself_from_the_echo() -> None:
    tone = PCMU.encode((8000 * np.sin(2 * np.pi * 600 * np.arange(8000) / 8000)).astype(np.int16)).tobytes()
    async with control() as made, session(made) as (phone, at):
        made.connect("echo", live=True, barge_in="off")
        assert await made.report(Ready) == Ready()
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Tell("s1", Open()))
        await phone.talk(at, tone)
        heard = speech([packet for packet in phone.heard if packet.payload != SILENCE])
        assert len(heard) > 6000
        assert loudest_hz(heard[800:5600]) == pytest.approx(600, abs=10)


async def test_a_conversation_over_a_socket() -> None:
    async with realtime() as server, control() as made, session(made) as (phone, at):
        made.connect("openai-realtime", server.url)
        await made.report(Ready)
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Tell("s1", Open()))
        await phone.talk(at, SILENCE * 10)
        assert len(await server.heard(960 * 5)) % 960 == 0
        before = len(phone.heard)
        await server.speak(PROMPT * 10)
        await server.say("response.output_audio_transcript.done", transcript="Hello.", item_id="i1")
        assert (await made.report(Transcript)).text == "Hello."
        packets = await phone.until(before + 20)
        assert loudest_hz(
            speech([packet for packet in packets[before:] if packet.payload != SILENCE])
        ) == pytest.approx(1000, abs=30)
        # The caller interrupts: within two packets there is silence, and the server learns what was sent.
        began = asyncio.get_running_loop().time()
        await server.say("input_audio_buffer.speech_started")
        truncated = await server.got("conversation.item.truncate")
        cleared = asyncio.get_running_loop().time()
        assert 0 < truncated["audio_end_ms"] < 1500
        assert cleared - began < 0.5
        packets = await phone.until(len(phone.heard) + 10)
        late = [packet for packet in packets if packet.when > cleared + 0.045 and packet.payload != SILENCE]
        assert late == []
        made.plane.command(plane.Tell("s1", Close("bye")))
        assert await made.report(Closed) == Closed("bye")
        assert await server.ended() == (1000, "bye")


async def test_a_second_backend_takes_the_place_of_the_first() -> None:
    async with realtime() as first, realtime() as second, control() as made, session(made):
        made.connect("openai-realtime", first.url)
        await made.report(Ready)
        made.connect("openai-realtime", second.url, attempt=2)
        await made.report(Ready, attempt=2)
        assert (await first.ended())[0] == 1000
        made.plane.command(plane.Tell("s1", Open()))
        made.plane.command(plane.DestroySession("s1"))
        assert (await second.ended())[0] == 1000


@pytest.mark.parametrize(
    ("dialect", "settings", "reason"),
    [("nonsense", {}, "bad_settings"), ("openai-realtime", {"vioce": "x"}, "bad_settings")],
)
async def test_a_backend_that_makes_no_sense_fails_for_good(
    dialect: str, settings: dict[str, Any], reason: str
) -> None:
    async with control() as made, session(made):
        made.connect(dialect, "ws://127.0.0.1:9/", settings=settings)
        failed = await made.report(Failed)
        assert (failed.reason, failed.permanent) == (reason, True)


async def test_a_prompt_is_played_to_its_end_and_told() -> None:
    async with control() as made, session(made) as (phone, _):
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Play("s1", "apology"))
        played = await made.told(plane.Played)
        assert (played.prompt, played.complete) == ("apology", True)
        await phone.until(len(phone.heard) + 2)
        spoken = [packet for packet in phone.heard if packet.payload != SILENCE]
        assert 9 <= len(spoken) <= 12
        assert loudest_hz(speech(spoken)) == pytest.approx(1000, abs=30)


async def test_a_prompt_that_is_unknown_or_cut_short_is_told_too() -> None:
    async with control() as made, session(made):
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Play("s1", "no such"))
        assert not (
            await made.told(lambda event: isinstance(event, plane.Played) and event.prompt == "no such")
        ).complete
        made.plane.command(plane.Play("s1", "apology"))
        made.plane.command(plane.StopPlaying("s1"))
        assert not (
            await made.told(lambda event: isinstance(event, plane.Played) and event.prompt == "apology")
        ).complete
        assert "unknown_prompt" in made.drops()


async def test_destroying_tells_the_counters_and_lets_the_sockets_go() -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with control() as made:
        async with session(made) as (phone, at):
            made.plane.command(plane.StartSession("s1"))
            await phone.talk(at, SILENCE * 5)
            await phone.until(5)
            made.plane.command(plane.DestroySession("s1"))
            ended = await made.told(plane.SessionEnded)
            assert ended.stats.received_packets == 5
            assert ended.stats.sent_packets >= 5
            made.plane.command(plane.Tell("s1", Open()))
            made.plane.command(plane.DestroySession("s1"))
            assert made.drops().count("no_such_session") == 2
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_session_that_cannot_be_created_fails() -> None:
    async with control() as made:
        stream = plane.Stream("NOPE", ("127.0.0.1", 9), ("127.0.0.1", 10), (0,), 0)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            made.plane.command(plane.CreateSession("s1", "c1", stream), (one.fileno(), two.fileno()))
            assert "NOPE" in (await made.told(plane.SessionFailed)).reason


async def test_a_defect_costs_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(self: Playout, audio: bytes, item: str = "") -> None:
        raise RuntimeError("a defect")

    async with realtime() as server, control() as made, session(made), session(made, "s2") as (other, _):
        for name in ("s1", "s2"):
            made.plane.command(plane.StartSession(name))
        made.connect("openai-realtime", server.url)
        await made.report(Ready)
        made.plane.command(plane.Tell("s1", Open()))
        with monkeypatch.context() as patch:
            patch.setattr(Playout, "add", defect)
            await server.speak(PROMPT)
            assert (await made.told(plane.SessionFailed)).reason == "a defect"
        assert "session_failed" in made.drops()
        count = len(other.heard)
        await other.until(count + 10)
        await server.ended()
        assert [event for event in made.events if event.session == "s2"] == []


async def test_a_defect_met_by_a_packet_costs_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(self: Session, source: tuple[str, int], now: float) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Session, "_latches", defect)
    async with control() as made, session(made) as (phone, at), session(made, "s2") as (other, _):
        for name in ("s1", "s2"):
            made.plane.command(plane.StartSession(name))
        await phone.until(1)
        phone.send(at, SILENCE)
        assert (await made.told(plane.SessionFailed)).reason == "a defect"
        await other.until(len(other.heard) + 10)
        assert [event for event in made.events if event.session == "s2"] == []


async def test_events_wait_for_a_listener_and_never_come_inside_a_command() -> None:
    made = LocalPlane(MediaOptions(), {})
    heard: list[plane.Event] = []
    try:
        made.command(
            plane.CreateSession("s1", "c1", plane.Stream("PCMU", ("127.0.0.1", 9), ("127.0.0.1", 10), (0,), 0))
        )
        made.listen(heard.append)
        assert heard == []
        await asyncio.sleep(0)
        assert [type(event) for event in heard] == [plane.SessionFailed]
    finally:
        await made.close()
