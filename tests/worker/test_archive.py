"""The folder of recordings: what killed writers left is finished, what is old goes, what is not ours stays."""

import hashlib
import os
import wave
from pathlib import Path

from sipgw.audio.wav import Encoding, head
from sipgw.media.plane import Recorded, RecordingFailed
from sipgw.worker.archive import finished, purge, recover_all
from sipgw.worker.sink import PARTIAL, FileSink

NOW = 1_700_000_000.0
DAY = 86_400.0
SECOND = bytes(32_000)


def recording(folder: Path, name: str, age_days: float = 0.0) -> Path:
    """A finished one."""
    sink = FileSink(folder, name, head(0, 8000, 2, Encoding.PCM16))
    sink.write(SECOND, head(len(SECOND), 8000, 2, Encoding.PCM16))
    path = Path(sink.close().path)
    os.utime(path, (NOW, NOW - age_days * DAY))
    return path


def abandoned(folder: Path, name: str) -> Path:
    """The partial file of a writer that is gone: its head says less than there is."""
    partial = folder / f"{name}.wav{PARTIAL}"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(head(0, 8000, 2, Encoding.PCM16) + SECOND * 2)
    return partial


def test_what_killed_writers_left_is_finished_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    partial = abandoned(tmp_path, "day/one")
    alive = FileSink(tmp_path, "two", head(0, 8000, 2, Encoding.PCM16))
    (kept,) = recover_all(tmp_path)
    assert (kept.path, kept.seconds) == (str(tmp_path / "day" / "one.wav"), 2.0)
    assert kept.sha256 == hashlib.sha256(Path(kept.path).read_bytes()).hexdigest()
    assert not partial.exists()
    with open(kept.path, "rb") as opened, wave.open(opened) as file:
        assert file.getnframes() == 16_000
    alive.close()
    assert list(recover_all(tmp_path)) == []


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    assert list(recover_all(tmp_path / "none")) == []
    assert purge(tmp_path / "none", 1, NOW) == 0


def test_what_is_old_goes_with_the_folder_it_leaves_empty(tmp_path: Path) -> None:
    old, new = recording(tmp_path, "monday/old", 31.0), recording(tmp_path, "tuesday/new", 29.0)
    assert purge(tmp_path, 30, NOW) == 1
    assert not old.parent.exists()
    assert new.exists()


def test_without_a_limit_everything_stays(tmp_path: Path) -> None:
    old = recording(tmp_path, "old", 10_000.0)
    assert purge(tmp_path, 0, NOW) == 0
    assert old.exists()


def test_sound_of_somebody_else_in_the_same_folder_stays(tmp_path: Path) -> None:
    other = tmp_path / "music.wav"
    with other.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(SECOND)
    os.utime(other, (NOW, NOW - 1000 * DAY))
    assert purge(tmp_path, 30, NOW) == 0
    assert other.exists()


def test_what_a_dead_worker_left_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    abandoned(tmp_path, "one")
    failed = RecordingFailed("s", "its media worker died", str(tmp_path / "one.wav"))
    told = finished(failed)
    assert isinstance(told, Recorded)
    assert (told.session, told.path, told.seconds) == ("s", failed.path, 2.0)
    assert told.failure == "its media worker died"
    # There is nothing left to finish.
    assert finished(failed) == failed
