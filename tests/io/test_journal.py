"""The journal: nothing written is lost, whatever the process was doing when it was killed."""

import errno
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.io import journal as module
from sipgw.io.journal import Journal, Left


def opened(folder: Path) -> Journal:
    journal = Journal(folder)
    journal.open()
    return journal


def left(folder: Path) -> Left:
    """What the next process finds."""
    return Journal(folder).open()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("journal-*"))


def test_the_newest_row_of_each_key_is_there_for_the_next_process(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.put("a", b"1")
    journal.put("b", b"2")
    journal.put("a", b"3")
    # Killed here: nothing is closed.
    found = left(tmp_path)
    assert found.rows == {"a": b"3", "b": b"2"}
    assert found.problems == []
    assert found.written == pytest.approx(time.time(), abs=5)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert left(tmp_path) == Left()


def test_a_row_that_is_dropped_does_not_come_back(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.put("a", b"1")
    journal.drop("a")
    journal.drop("never there")
    assert left(tmp_path).rows == {}


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.put("a", b"1")
    size = segments(tmp_path)[0].stat().st_size
    journal.put("a", b"1")
    assert segments(tmp_path)[0].stat().st_size == size


def test_it_is_for_its_users_eyes_only(tmp_path: Path) -> None:
    opened(tmp_path).put("a", b"1")
    assert segments(tmp_path)[0].stat().st_mode & 0o777 == 0o600


def test_the_next_process_goes_on_where_the_last_one_was_killed(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for number in range(20):
        first.put(f"{number}", b"1")
    second = opened(tmp_path)
    second.put("0", b"2")
    # Killed again, before all rows were copied.
    assert left(tmp_path).rows == {f"{number}": b"1" for number in range(20)} | {"0": b"2"}
    third = opened(tmp_path)
    for _ in range(2):
        for number in range(20):
            third.put(f"{number}", os.urandom(4))
    assert len(segments(tmp_path)) == 1


def test_closing_leaves_what_is_of_use_and_nothing_else(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.put("a", b"1")
    journal.close()
    assert left(tmp_path).rows == {"a": b"1"}
    journal = opened(tmp_path)
    journal.drop("a")
    journal.close()
    assert segments(tmp_path) == []


def test_it_stays_as_small_as_what_is_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALLEST_BYTES", 1000)
    journal = opened(tmp_path)
    for turn in range(200):
        for number in range(10):
            journal.put(f"{number}", b"%d" % turn + 50 * b"x")
    # Twice the rows of use before the next segment begins, and as much again until all are copied.
    assert sum(path.stat().st_size for path in segments(tmp_path)) < 2 * (1000 + 3 * 10 * 80)
    assert left(tmp_path).rows == {f"{number}": b"199" + 50 * b"x" for number in range(10)}


def test_no_write_copies_more_than_a_few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(tmp_path)
    for number in range(5000):
        journal.put(f"{number}", 100 * b"x")
    written = 0
    really = os.write

    def write(file: int, data: bytes) -> int:
        nonlocal written
        written += len(data)
        return really(file, data)

    monkeypatch.setattr(os, "write", write)
    again = opened(tmp_path)
    again.put("0", b"1")
    assert written < 5 * 150


def test_a_segment_of_another_version_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "journal-00000001").write_bytes(b"sipgw journal 2\nwhatever")
    found = left(tmp_path)
    assert found.rows == {}
    assert found.problems == [f"{tmp_path}/journal-00000001: written by another version of sipgw, not read"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "journal-of-my-cat").write_text("purr")
    journal = opened(tmp_path)
    journal.put("a", b"1")
    journal.drop("a")
    journal.close()
    assert [path.name for path in segments(tmp_path)] == ["journal-of-my-cat"]


@pytest.mark.parametrize("short", [True, False])
def test_a_full_disk_is_told_and_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: bool) -> None:
    journal = opened(tmp_path)
    for key in "abc":
        journal.put(key, b"1")
    really = os.write

    def full(file: int, data: bytes) -> int:
        if short:
            return really(file, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        journal.put("a", b"2")
    with pytest.raises(OSError, match="No space"):
        journal.drop("b")
    monkeypatch.setattr(os, "write", really)
    journal.put("d", b"1")
    assert left(tmp_path).rows == {"a": b"2", "c": b"1", "d": b"1"}


class Killed(BaseException):
    """The process ends here."""


class Disk:
    """Takes so many bytes more; in the middle of the write that comes to them, the process is killed."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._write = os.write

    def write(self, file: int, data: bytes) -> int:
        taken = self._write(file, data[: self._room])
        self._room -= taken
        if taken < len(data):
            raise Killed
        return taken


STEP = st.tuples(st.sampled_from("abcdef"), st.none() | st.binary(max_size=30)) | st.just("restart")


@given(steps=st.lists(STEP, max_size=60), room=st.integers(0, 3000))
def test_whenever_it_is_killed_nothing_is_lost(steps: list[tuple[str, bytes | None] | str], room: int) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SMALLEST_BYTES", 40)
        patch.setattr(os, "write", Disk(room).write)
        folder = Path(name)
        journal = opened(folder)
        before: dict[str, bytes] = {}
        after: dict[str, bytes] = {}
        try:
            for step in steps:
                before = dict(after)
                if isinstance(step, str):
                    journal = opened(folder)
                elif step[1] is None:
                    after.pop(step[0], None)
                    journal.drop(step[0])
                else:
                    after[step[0]] = step[1]
                    journal.put(step[0], step[1])
            before = after
        except Killed:
            pass
        assert left(folder).rows in (before, after)
