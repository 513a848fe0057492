"""The recorder's threads: blocks as time passes, slow and full disks, and what is told in the end."""

import asyncio
import threading
import time
from collections.abc import Callable
from errno import ENOSPC

import numpy as np
import pytest

from sipgw.audio.wav import Encoding
from sipgw.errors import Unavailable
from sipgw.media.plane import Recorded, RecordingFailed, RecordingStarted
from sipgw.media.tap import Tap
from sipgw.trace import Note
from sipgw.worker.recorder import Recorder
from sipgw.worker.recording import Event
from sipgw.worker.sink import Kept

FRAME = b"\x11" * 160


class Disk:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sound: list[bytes] = []
        self.head = b""
        self.gate = threading.Event()
        """Nothing is written while it is not set."""
        self.gate.set()
        self.error: Exception | None = None
        self.refusal: Exception | None = None
        self.closed = False

    path = "disk/call.wav"

    def open(self, name: str, head: bytes) -> "Disk":
        if self.refusal is not None:
            raise self.refusal
        self.names.append(name)
        return self

    def write(self, block: bytes, head: bytes) -> None:
        assert threading.current_thread() is not threading.main_thread()
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        self.sound.append(block)
        self.head = head

    def close(self) -> Kept:
        self.closed = True
        return Kept(self.path, "f00", 0.0)

    @property
    def samples(self) -> int:
        return len(b"".join(self.sound)) // 4


class Stage:
    """A recorder in a loop, and what it tells."""

    def __init__(self, disk: Disk, encoding: Encoding = Encoding.PCM16) -> None:
        self.events: list[Event] = []
        self.notes: list[Note] = []
        self.recorder = Recorder(disk.open, encoding, self.events.append, self.notes.append)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.005)


def keep(tap: Tap, frames: int) -> None:
    for number in range(frames):
        tap.heard((tap.began + number * 0.02, number * 160, FRAME, "PCMU"))


async def test_a_recording_is_written_in_blocks_and_told_of_at_its_end() -> None:
    disk = Disk()
    stage = Stage(disk)
    began = time.monotonic() - 3.0
    tap = stage.recorder.begin("s", "call", began)
    keep(tap, 150)
    await stage.until(lambda: disk.samples > 0)
    assert stage.events == [RecordingStarted("s", "disk/call.wav")]
    assert not disk.closed
    tap.pause(began + 3.0)
    stage.recorder.end("s", began + 3.5)
    await stage.until(lambda: len(stage.events) == 2)
    assert stage.events[1] == Recorded("s", "disk/call.wav", 3.5, "f00", ((3.0, 3.5),))
    assert disk.samples == 28_000
    left = np.frombuffer(b"".join(disk.sound), np.int16).reshape(-1, 2)[:, 0]
    assert np.count_nonzero(left) == 150 * 160
    await stage.recorder.close()


async def test_mu_law_is_half_as_large() -> None:
    disk = Disk()
    stage = Stage(disk, Encoding.PCMU)
    now = time.monotonic()
    keep(stage.recorder.begin("s", "call", now - 2.0), 100)
    stage.recorder.end("s", now)
    await stage.recorder.close()
    assert b"".join(disk.sound) == b"".join(bytes([byte, 0xFF]) for byte in FRAME * 100)


async def test_a_slow_disk_is_not_felt_and_costs_the_recording_alone() -> None:
    disk = Disk()
    stage = Stage(disk)
    disk.gate.clear()
    began = time.monotonic() - 16.0
    tap = stage.recorder.begin("s", "call", began)
    keep(tap, 600)
    stage.recorder.watch(began + 12.0)
    assert [note.name for note in stage.notes] == ["recording_backlog"]
    tap.heard((began + 12.0, 600 * 160, FRAME, "PCMU"))  # is not kept
    disk.gate.set()
    await stage.until(lambda: disk.samples > 0)
    stage.recorder.watch(began + 16.0)
    tap.heard((began + 16.0, 800 * 160, FRAME, "PCMU"))
    stage.recorder.end("s", began + 16.5)
    await stage.recorder.close()
    assert isinstance(stage.events[-1], Recorded)
    assert stage.events[-1].lost_ms == 4000
    left = np.frombuffer(b"".join(disk.sound), np.int16).reshape(-1, 2)[:, 0]
    assert len(left) == 132_000
    assert left[: 600 * 160].all()
    assert not left[600 * 160 : 800 * 160].any()
    assert left[800 * 160 : 801 * 160].all()


async def test_a_full_disk_ends_the_recording_and_keeps_what_there_is() -> None:
    disk = Disk()
    stage = Stage(disk)
    tap = stage.recorder.begin("s", "call", time.monotonic() - 3.0)
    keep(tap, 150)
    await stage.until(lambda: disk.samples > 0)
    written = disk.samples
    disk.error = OSError(ENOSPC, "No space left on device")
    await stage.until(lambda: len(stage.events) == 2)
    told = stage.events[1]
    assert isinstance(told, Recorded)
    assert told.failure == "No space left on device"
    assert disk.samples == written
    assert stage.recorder.tap("s") is None
    assert [note.name for note in stage.notes] == ["recording_failed"]
    await stage.recorder.close()


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [(Unavailable("too little is free"), "too little is free"), (KeyError("x"), "internal error")],
)
async def test_a_recording_that_cannot_begin_leaves_the_others_alone(refusal: Exception, reason: str) -> None:
    disk = Disk()
    stage = Stage(disk)
    now = time.monotonic()
    stage.recorder.begin("good", "good", now)
    await stage.until(lambda: bool(stage.events))
    disk.refusal = refusal
    stage.recorder.begin("bad", "bad", now)
    await stage.until(lambda: len(stage.events) == 2)
    assert stage.events[1] == RecordingFailed("bad", reason)
    assert stage.recorder.tap("bad") is None
    assert stage.recorder.tap("good") is not None
    await stage.recorder.close()
    assert stage.events[2] == Recorded("good", "disk/call.wav", stage.events[2].seconds, "f00")  # type: ignore[union-attr]


async def test_closing_finishes_everything_before_it_returns() -> None:
    disk = Disk()
    stage = Stage(disk)
    now = time.monotonic()
    for name in "abc":
        stage.recorder.begin(name, name, now)
    await stage.recorder.close()
    assert sorted(event.session for event in stage.events if isinstance(event, Recorded)) == ["a", "b", "c"]


async def test_a_recorder_that_has_never_recorded_has_no_thread() -> None:
    stage = Stage(Disk())
    await stage.recorder.close()
    assert not stage.events
