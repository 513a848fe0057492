"""Recordings of the real gateway: what the caller said left, what it heard right, each where it was."""

import asyncio
import os
import signal
import sqlite3
import wave
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sipgw.app.prompts import load_prompts
from sipgw_codecs.g711 import PCMU
from tests.e2e.phone import calling
from tests.e2e.plan import ai, plan, to
from tests.e2e.sound import RATE_HZ, Pcm, level_at, tone
from tests.e2e.test_worker_death import spare_of, workers_of
from tests.fakes.backend import FakeBackend, Voice, Wait
from tests.interop.gateway import Gateway, running

CALLER_HZ, AI_HZ = 700, 1100
FRAME = RATE_HZ // 50


def script(*after: Any) -> dict[str, Any]:
    """An AI that says its tone."""
    return {"open": [Voice(tone(30, AI_HZ, 24_000).tobytes()), *after]}


def recordings(folder: Path) -> list[Path]:
    return sorted((folder / "recordings").rglob("*.wav"))


def channels(path: Path) -> tuple[Pcm, Pcm]:
    """Left and right, as another program reads them."""
    with path.open("rb") as opened, wave.open(opened) as file:
        assert file.getparams()[:3] == (2, 2, RATE_HZ)
        both = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def place(piece: Pcm, sound: Pcm) -> int:
    """Where a piece lies in a sound."""
    size = len(sound) + len(piece)
    spectrum = np.fft.rfft(sound.astype(float), size) * np.conj(np.fft.rfft(piece.astype(float), size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(sound)]))


def speech(seconds: float) -> Pcm:
    """Nowhere like itself: what is found of it is found in its place."""
    noise = np.random.default_rng(1).normal(0, 3000, round(seconds * RATE_HZ))
    return np.rint(np.clip(noise, -30_000, 30_000)).astype(np.int16)


async def told(gateway: Gateway) -> dict[str, Any]:
    return (await gateway.said("call ended"))[0]


async def test_left_is_what_the_phone_said_and_right_what_it_heard(tmp_path: Path) -> None:
    said = speech(2.0)
    async with FakeBackend(script()) as backend:
        settings = plan(to("ai", ai(backend), record="always"), state=str(tmp_path), recording={"min_free_mb": 0})
        async with running(tmp_path, settings) as gateway:
            async with calling(f"ai@{gateway.address}") as phone:
                phone.say(said)
                await phone.hears(25)
                await asyncio.sleep(2.5)
            ended = await told(gateway)
    (path,) = recordings(tmp_path)
    assert path.stem == ended["call"]
    left, right = channels(path)
    assert abs(len(left) / RATE_HZ - ended["seconds"]) < 0.1
    # To the sample, and all of it.
    coded = PCMU.decode(PCMU.encode(said))
    start = place(coded, left)
    assert np.array_equal(left[start : start + len(coded)], coded)
    heard = phone.sound()
    first = place(heard[: RATE_HZ * 2], right)
    common = min(len(heard), len(right) - first)
    assert common > RATE_HZ * 2
    assert np.array_equal(right[first : first + common], heard[:common])
    # Neither is heard on the other's side.
    assert level_at(left, AI_HZ) < 50
    assert level_at(right[first + RATE_HZ : first + 2 * RATE_HZ], AI_HZ) > 8000
    assert (path.stat().st_mode & 0o777) == 0o600


async def test_a_caller_hears_the_consent_prompt_first_and_is_recorded_from_its_end_on(tmp_path: Path) -> None:
    prompt = np.frombuffer(load_prompts()["key-1"], np.int16)
    async with FakeBackend(script()) as backend:
        settings = plan(
            to("ai", ai(backend), record="always", consent="key-1"), state=str(tmp_path), recording={"min_free_mb": 0}
        )
        async with running(tmp_path, settings) as gateway, calling(f"ai@{gateway.address}") as phone:
            phone.say(tone(10, CALLER_HZ))
            await backend.sent("open")
            opened = phone.now
            await phone.hears(25, since=opened)
            await asyncio.sleep(1.0)
    # The prompt was heard to its end before the AI could speak, and no packet was missing.
    before = [packet for packet in phone.heard if packet.when < opened]
    assert len(before) * 0.02 >= len(prompt) / 24_000 - 0.1
    assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in zip(phone.heard, phone.heard[1:], strict=False))
    (path,) = recordings(tmp_path)
    left, right = channels(path)
    assert level_at(right[RATE_HZ // 2 :], AI_HZ) > 6000
    assert level_at(left[RATE_HZ // 2 :], CALLER_HZ) > 6000
    assert abs(len(left) / RATE_HZ - (phone.ended_at - opened)) < 0.3


async def test_a_backend_leaves_a_cards_digits_out(tmp_path: Path) -> None:
    pause = [Wait(1.0), {"type": "pause_recording"}, Wait(1.0), {"type": "resume_recording"}]
    async with FakeBackend(script(*pause)) as backend:
        settings = plan(to("ai", ai(backend), record="always"), state=str(tmp_path), recording={"min_free_mb": 0})
        async with running(tmp_path, settings) as gateway, calling(f"ai@{gateway.address}") as phone:
            phone.say(tone(10, CALLER_HZ))
            await asyncio.sleep(3.5)
    (path,) = recordings(tmp_path)
    for sound in channels(path):
        loud = np.flatnonzero(np.abs(sound.astype(int)) > 500)
        silence = np.diff(loud)
        assert abs(silence.max() / RATE_HZ - 1.0) < 0.1
        assert np.count_nonzero(silence > FRAME * 5) == 1
        assert abs(len(sound) / RATE_HZ - (phone.ended_at - phone.answered_at)) < 0.2


async def test_without_room_on_the_disk_the_call_goes_on_and_an_alarm_says_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "state": str(tmp_path),
        "recording": {"min_free_mb": 1 << 40},
        "routes": [{"number": "echo", "targets": ["echo"], "anyone": True, "record": "always"}],
    }
    async with running(tmp_path, settings) as gateway, calling(f"echo@{gateway.address}") as phone:
        phone.say(tone(1, CALLER_HZ))
        await phone.hears(25)
    assert recordings(tmp_path) == []


async def test_the_recording_of_a_killed_gateway_is_whole_when_the_next_has_started(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "state": str(tmp_path),
        "recording": {"min_free_mb": 0},
        "routes": [{"number": "echo", "targets": ["echo"], "anyone": True, "record": "always"}],
    }
    async with (
        running(tmp_path, settings, ends=-signal.SIGKILL) as gateway,
        calling(f"echo@{gateway.address}") as phone,
    ):
        phone.say(tone(10, CALLER_HZ))
        await asyncio.sleep(4.5)
        gateway.process.kill()
        await gateway.process.wait()
        phone.vanish()
    assert recordings(tmp_path) == []
    async with running(tmp_path, settings) as gateway:
        (line,) = await gateway.said("recording recovered")
    (path,) = recordings(tmp_path)
    left, _ = channels(path)
    assert line["path"] == str(path)
    assert len(left) >= RATE_HZ
    assert level_at(left[RATE_HZ // 2 :], CALLER_HZ) > 8000


async def test_a_call_whose_media_worker_is_killed_has_two_recordings_that_are_both_whole(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "state": str(tmp_path),
        "workers": 1,
        "recording": {"min_free_mb": 0},
        "routes": [{"number": "echo", "targets": ["echo"], "anyone": True, "record": "always"}],
    }
    async with running(tmp_path, settings) as gateway:
        await spare_of(gateway)
        async with calling(f"echo@{gateway.address}") as phone:
            phone.say(tone(15, CALLER_HZ))
            await asyncio.sleep(5.0)
            os.kill(workers_of(gateway)[0], signal.SIGKILL)
            await asyncio.sleep(4.0)
    paths = recordings(tmp_path)
    assert len(paths) == 2
    assert not list(tmp_path.rglob("*.part"))
    # At most three seconds are lost: those that had not been written, before the spare went on.
    assert sum(len(channels(path)[0]) for path in paths) / RATE_HZ > phone.ended_at - phone.answered_at - 4.0
    for path in paths:
        left, _ = channels(path)
        assert level_at(left[RATE_HZ // 2 :], CALLER_HZ) > 8000
    first, second = sorted(paths, key=lambda path: path.stem.endswith("-2"))
    assert await on_record(tmp_path, 2) == [
        (str(path), sha256(path.read_bytes()).hexdigest()) for path in (first, second)
    ]


@pytest.mark.parametrize("workers", [0, 1])
async def test_the_record_of_a_call_names_its_recording(tmp_path: Path, workers: int) -> None:
    settings: dict[str, Any] = {
        "state": str(tmp_path),
        "workers": workers,
        "recording": {"min_free_mb": 0, "format": "pcmu", "name": "{caller}/{call}"},
        "routes": [{"number": "echo", "targets": ["echo"], "anyone": True, "record": "always"}],
    }
    async with running(tmp_path, settings) as gateway, calling(f"echo@{gateway.address}") as phone:
        phone.say(tone(1, CALLER_HZ))
        await phone.hears(40)
    (path,) = recordings(tmp_path)
    assert path.parent.name == "+4930123"
    assert await on_record(tmp_path) == [(str(path), sha256(path.read_bytes()).hexdigest())]


async def on_record(state: Path, count: int = 1) -> list[tuple[str, str]]:
    """Path and hash of so many recordings in the database, waited for; the first begun comes first."""
    async with asyncio.timeout(5):
        while True:
            with sqlite3.connect(state / "records.db") as database:
                rows = database.execute("SELECT path, sha256 FROM recordings ORDER BY started").fetchall()
            database.close()
            if len(rows) >= count:
                return [(str(path), str(digest)) for path, digest in rows]
            await asyncio.sleep(0.05)
