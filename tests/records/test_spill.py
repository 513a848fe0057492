"""The journal of records: nothing that was appended is lost, whatever happens to the process or the disk."""

import errno
import os
import stat
from pathlib import Path

import pytest

from sipgw.records import spill as module
from sipgw.records.spill import Line, Spill


def opened(folder: Path) -> Spill:
    spill = Spill(folder)
    spill.open()
    return spill


def texts(lines: list[Line]) -> list[str]:
    return [line.data.decode() for line in lines]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_records_come_back_in_order_until_they_are_done(tmp_path: Path) -> None:
    spill = opened(tmp_path)
    for word in ("a", "b", "c"):
        spill.append(word.encode())
    assert texts(spill.take(2)) == ["a", "b"]
    assert texts(spill.take(2)) == ["a", "b"]
    spill.done()
    spill.append(b"d")
    assert texts(spill.take(9)) == ["c", "d"]
    spill.done()
    assert spill.take(9) == []


def test_a_process_that_was_killed_left_everything_that_is_not_done_and_perhaps_more(tmp_path: Path) -> None:
    killed = opened(tmp_path)
    for word in ("a", "b"):
        killed.append(word.encode())
    killed.take(1)
    killed.done()
    again = Spill(tmp_path)
    assert again.open() == 2
    again.append(b"c")
    assert texts(again.take(9)) == ["a", "b"]
    again.done()
    assert texts(again.take(9)) == ["c"]
    again.done()
    again.close()
    assert files(tmp_path) == []


def test_a_file_that_is_done_goes_once_another_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FULL_BYTES", 4)
    spill = opened(tmp_path)
    for word in ("abc", "def", "ghi"):
        spill.append(word.encode())
    assert len(files(tmp_path)) == 3
    for word in ("abc", "def"):
        assert texts(spill.take(9)) == [word]
        spill.done()
    assert texts(spill.take(9)) == ["ghi"]
    assert files(tmp_path) == ["spill-00000003.jsonl"]


def test_after_an_hour_another_file_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    spill = opened(tmp_path)
    spill.append(b"a")
    now = 3601.0
    spill.append(b"b")
    assert len(files(tmp_path)) == 2


def test_an_empty_file_is_not_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    spill = opened(tmp_path)
    now = 3601.0
    spill.append(b"a")
    assert len(files(tmp_path)) == 1


def test_what_waits_stays_when_the_gateway_stops(tmp_path: Path) -> None:
    spill = opened(tmp_path)
    spill.append(b"a")
    spill.close()
    assert texts(opened(tmp_path).take(9)) == ["a"]


def test_a_line_that_a_power_failure_cut_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "spill-00000007.jsonl").write_bytes(b'whole\n{"ha')
    spill = opened(tmp_path)
    spill.append(b"new")
    assert spill.take(9) == [Line(b"whole")]
    spill.done()
    assert spill.take(9) == [Line(b'{"ha', torn=True)]
    spill.done()
    assert texts(spill.take(9)) == ["new"]
    assert files(tmp_path) == ["spill-00000008.jsonl"]


def test_a_line_longer_than_what_is_read_at_once_comes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_BYTES", 10)
    spill = opened(tmp_path)
    spill.append(b"x" * 35)
    spill.append(b"y")
    assert texts(spill.take(1)) == ["x" * 35]
    spill.done()
    assert texts(spill.take(1)) == ["y"]


@pytest.mark.parametrize("room", [0, 2])
def test_a_full_disk_leaves_records_in_memory_and_no_half_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    spill = opened(tmp_path)
    assert spill.append(b"before") is None
    real = os.write

    def full(file: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:room])

    monkeypatch.setattr(os, "write", full)
    for word in ("in", "memory"):
        error = spill.append(word.encode())
        assert error is not None
        assert error.errno == errno.ENOSPC
    monkeypatch.undo()
    assert spill.append(b"after") is None
    assert texts(spill.take(9)) == ["before", "after", "in", "memory"]
    # One more comes while these are written: it is not taken for one of them.
    monkeypatch.setattr(os, "write", full)
    spill.append(b"late")
    spill.done()
    assert texts(spill.take(9)) == ["late"]


def test_memory_holds_only_so_many_and_says_how_many_it_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_MOST_HELD", 2)
    spill = opened(tmp_path)
    monkeypatch.setattr(os, "write", full)
    for word in ("a", "b", "c"):
        spill.append(word.encode())
    assert (texts(spill.take(9)), spill.lost) == (["a", "b"], 1)


def test_the_files_are_for_the_gateways_user_alone(tmp_path: Path) -> None:
    spill = opened(tmp_path / "records")
    spill.append(b"a")
    spill.sync()
    assert stat.S_IMODE((tmp_path / "records").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "records").iterdir()} == {0o600}
