"""The media plane, in our own loop and in a process of its own: the same either way."""

import asyncio
import os
import socket
from typing import Any

import numpy as np
import pytest

from sipgw.ai.events import Close, Closed, Failed, Open, Ready, Transcript
from sipgw.media import plane
from sipgw_codecs.g711 import PCMU
from tests.fakes.realtime import realtime
from tests.fakes.rtp_phone import SILENCE
from tests.worker.planes import PROMPT, control, session

pytestmark = pytest.mark.parametrize("workers", [0, 1])


def speech(packets: list[Any]) -> bytes:
    return b"".join(packet.payload for packet in packets)


def loudest_hz(payload: bytes) -> float:
    pcm = PCMU.decode(np.frombuffer(payload, np.uint8)).astype(float)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum[5:]) + 5) * 8000 / len(pcm)


async def test_rtp_leaves_from_the_start_on_and_never_stops(workers: int) -> None:
    async with control(workers) as made, session(made) as (phone, _):
        await asyncio.sleep(0.05)
        assert phone.heard == []
        made.plane.command(plane.StartSession("s1"))
        packets = await phone.until(10)
        assert {packet.payload for packet in packets} == {SILENCE}
        assert [packet.sequence for packet in packets] == [(packets[0].sequence + n) & 0xFFFF for n in range(10)]
        assert [packet.marker for packet in packets] == [True] + [False] * 9


async def test_the_first_packet_and_keys_are_told(workers: int) -> None:
    async with control(workers) as made, session(made) as (phone, at):
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
        # One that came in signalling is told like those in RTP.
        made.plane.command(plane.NoteDigit("s1", "7", 160))
        await made.told(lambda event: event == plane.Digit("s1", "7", 160))


async def test_the_caller_hears_itself_from_the_echo(workers: int) -> None:
    tone = PCMU.encode((8000 * np.sin(2 * np.pi * 600 * np.arange(8000) / 8000)).astype(np.int16)).tobytes()
    async with control(workers) as made, session(made) as (phone, at):
        made.connect("echo", live=True, barge_in="off")
        assert await made.report(Ready) == Ready()
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Tell("s1", Open()))
        await phone.talk(at, tone)
        heard = speech([packet for packet in phone.heard if packet.payload != SILENCE])
        assert len(heard) > 6000
        assert loudest_hz(heard[800:5600]) == pytest.approx(600, abs=10)


async def test_a_conversation_over_a_socket(workers: int) -> None:
    async with realtime() as server, control(workers) as made, session(made) as (phone, at):
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


async def test_a_second_backend_takes_the_place_of_the_first(workers: int) -> None:
    async with realtime() as first, realtime() as second, control(workers) as made, session(made):
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
    workers: int, dialect: str, settings: dict[str, Any], reason: str
) -> None:
    async with control(workers) as made, session(made):
        made.connect(dialect, "ws://127.0.0.1:9/", settings=settings)
        failed = await made.report(Failed)
        assert (failed.reason, failed.permanent) == (reason, True)


async def test_a_prompt_is_played_to_its_end_and_told(workers: int) -> None:
    async with control(workers) as made, session(made) as (phone, _):
        made.plane.command(plane.StartSession("s1"))
        made.plane.command(plane.Play("s1", "apology"))
        played = await made.told(plane.Played)
        assert (played.prompt, played.complete) == ("apology", True)
        await phone.until(len(phone.heard) + 2)
        spoken = [packet for packet in phone.heard if packet.payload != SILENCE]
        assert 9 <= len(spoken) <= 12
        assert loudest_hz(speech(spoken)) == pytest.approx(1000, abs=30)


async def test_a_prompt_that_is_unknown_or_cut_short_is_told_too(workers: int) -> None:
    async with control(workers) as made, session(made):
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


async def test_destroying_tells_the_counters_and_lets_the_sockets_go(workers: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with control(workers) as made:
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


async def test_a_session_that_cannot_be_created_fails(workers: int) -> None:
    async with control(workers) as made:
        stream = plane.Stream("NOPE", ("127.0.0.1", 9), ("127.0.0.1", 10), (0,), 0)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            made.plane.command(plane.CreateSession("s1", "c1", stream), (one.fileno(), two.fileno()))
            assert "NOPE" in (await made.told(plane.SessionFailed)).reason
