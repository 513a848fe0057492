"""Recordings as files: whole, durable, never one over another, and playable when their writer is killed."""

import hashlib
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from sipgw.audio.wav import Encoding, head
from sipgw.errors import Unavailable
from sipgw.options import RecordingOptions
from sipgw.worker.sink import PARTIAL, FileSink, open_file, recover

BLOCK = bytes(range(200)) * 160
EMPTY = head(0, 8000, 2, Encoding.PCM16)


def write(sink: FileSink, blocks: int) -> None:
    for number in range(1, blocks + 1):
        sink.write(BLOCK, head(number * len(BLOCK), 8000, 2, Encoding.PCM16))


def frames(path: Path) -> bytes:
    with path.open("rb") as opened, wave.open(opened) as file:
        return bytes(file.readframes(file.getnframes()))


def test_a_recording_has_its_name_when_it_is_complete_and_its_hash_is_the_files(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, "2026-11-25/call", EMPTY)
    write(sink, 3)
    final = tmp_path / "2026-11-25" / "call.wav"
    assert sink.path == str(final)
    assert not final.exists()
    kept = sink.close()
    assert kept.path == str(final)
    assert kept.sha256 == hashlib.sha256(final.read_bytes()).hexdigest()
    assert frames(final) == BLOCK * 3
    assert [path.name for path in final.parent.iterdir()] == ["call.wav"]
    assert final.stat().st_mode & 0o777 == 0o600


def test_no_recording_is_written_over_another(tmp_path: Path) -> None:
    first, second = FileSink(tmp_path, "call", EMPTY), FileSink(tmp_path, "call", EMPTY)
    assert Path(second.path).name == "call-2.wav"
    first.close()
    second.close()
    third = FileSink(tmp_path, "call", EMPTY)
    assert Path(third.path).name == "call-3.wav"
    third.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["call-2.wav", "call-3.wav", "call.wav"]


def test_without_enough_free_space_no_recording_begins(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="MiB free, less than"):
        open_file(RecordingOptions(str(tmp_path), min_free_bytes=1 << 60), "call", EMPTY)
    assert not list(tmp_path.iterdir())


def test_without_a_folder_no_recording_begins(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no folder"):
        open_file(RecordingOptions(), "call", EMPTY)
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be written: File exists"):
        open_file(RecordingOptions(str(tmp_path / "file")), "call", EMPTY)


KILLED = """
import sys
from pathlib import Path
from tests.worker.test_sink import EMPTY, FileSink, write
sink = FileSink(Path(sys.argv[1]), "call", EMPTY)
write(sink, 2)
print("written", flush=True)
sys.stdin.read()
"""


def test_the_file_of_a_killed_process_is_playable_and_is_finished_by_whoever_finds_it(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    partial = tmp_path / f"call.wav{PARTIAL}"
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert recover(partial) is None, "its writer lives"
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    assert frames(partial) == BLOCK * 2
    with partial.open("ab") as file:  # a block that was half written
        file.write(BLOCK[:1001])
    kept = recover(partial)
    assert kept is not None
    assert kept.path == str(tmp_path / "call.wav")
    assert kept.sha256 == hashlib.sha256((tmp_path / "call.wav").read_bytes()).hexdigest()
    assert frames(tmp_path / "call.wav") == BLOCK * 2 + BLOCK[:1000]
    assert not partial.exists()


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / f"other{PARTIAL}"
    other.write_bytes(os.urandom(100))
    assert recover(other) is None
    assert other.exists()
