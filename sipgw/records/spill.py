"""The journal of records: every record is a line in a file before anything else is done with it.

A line is in the system's hands once `append` returns, so the end of our process loses none; the database is written
from the files, and a file is removed when all its lines are in the database. So a database that is down costs disk and
not memory, and after a crash the files are simply read again. A line may come twice then: the database knows it.

`append` runs in the loop, everything else in the keeper's thread. They share no lock: files are only ever appended to
by one side and removed by the other once a newer one was begun.
"""

import contextlib
import errno
import os
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

_FULL_BYTES = 256 * 1024
_OLD = 3600.0
"""Seconds after which another file is begun: what the database deletes again must not live on in here."""
_MOST_HELD = 10_000
_READ_BYTES = 256 * 1024
_PATTERN = "spill-*.jsonl"


class Line(NamedTuple):
    """One record as it was appended."""

    data: bytes
    torn: bool = False
    """The machine went down while it was written."""


class Spill:
    """The files of one gateway.

    Args:
        folder: where they are; made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._number = 0
        self._size = 0
        self._begun = 0.0
        self._held: deque[bytes] = deque()
        self._files: list[Path] = []
        self._offset = 0
        """How much of the oldest file is done."""
        self._taken = self._taken_held = 0
        self.lost = 0
        """Records that had to be given up: no disk, and more than memory is to hold."""

    # --- in the loop ----------------------------------------------------------------------------------------------

    def open(self) -> int:
        """Begin a file; returns how many records an earlier process left, which are still to be taken.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._files = sorted(self._folder.glob(_PATTERN))
        left = sum(_lines(path) for path in self._files)
        self._number = int(self._files[-1].stem.partition("-")[2]) if self._files else 0
        self._begin()
        return left

    def append(self, data: bytes) -> OSError | None:
        """Take a record, a line without its end. Where the disk refuses it memory keeps it; returns what was wrong."""
        try:
            self._write(data + b"\n")
        except OSError as error:
            if len(self._held) < _MOST_HELD:
                self._held.append(data)
            else:
                self.lost += 1
            return error
        return None

    def _write(self, line: bytes) -> None:
        if self._file is None or self._size >= _FULL_BYTES or time.monotonic() - self._begun > _OLD:
            self._begin()
        assert self._file is not None
        written = os.write(self._file, line)
        if written < len(line):
            # The disk is full: half a line helps nobody.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _begin(self) -> None:
        if self._file is not None and not self._size:
            self._begun = time.monotonic()
            return
        path = self._folder / f"spill-{self._number + 1:08}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if self._file is not None:
            os.close(self._file)
        self._file, self._size, self._begun = file, 0, time.monotonic()
        self._number += 1
        self._files.append(path)

    # --- in the keeper's thread -----------------------------------------------------------------------------------

    def take(self, most: int) -> list[Line]:
        """The oldest records that are not `done`, at most so many; the same again until they are."""
        lines: list[Line] = []
        while not lines:
            oldest, finished = self._files[0], len(self._files) > 1
            lines, rest = self._read(oldest, most)
            if lines or not finished:
                break
            if rest:
                lines = [Line(rest, torn=True)]
            else:
                self._remove_oldest()
        self._taken = sum(len(line.data) + (not line.torn) for line in lines)
        self._taken_held = min(len(self._held), most - len(lines))
        return [*lines, *(Line(self._held[index]) for index in range(self._taken_held))]

    def done(self) -> None:
        """What was taken last need not be kept any longer."""
        self._offset += self._taken
        for _ in range(self._taken_held):
            self._held.popleft()
        self._taken = self._taken_held = 0

    def sync(self) -> None:
        """Make what is in the files outlive the machine's power."""
        for path in tuple(self._files):
            file = os.open(path, os.O_RDONLY)
            try:
                os.fdatasync(file)
            finally:
                os.close(file)

    def close(self) -> None:
        """The end, in either thread, when neither works any longer. What is in the database is removed."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        while self._files and self._offset == self._files[0].stat().st_size:
            self._remove_oldest()

    def _read(self, path: Path, most: int) -> tuple[list[Line], bytes]:
        """Whole lines from the offset on, and, where there is none, what else is there."""
        with path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(_READ_BYTES)
            while data and b"\n" not in data and (more := file.read(_READ_BYTES)):
                data += more
        whole, end, rest = data.rpartition(b"\n")
        return ([Line(one) for one in whole.split(b"\n")[:most]], b"") if end else ([], rest)

    def _remove_oldest(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._files[0].unlink()
        del self._files[0]
        self._offset = 0


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
