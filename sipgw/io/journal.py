"""A journal: rows by key, written by append, so that a process that is killed has lost nothing of what it wrote.

A row replaces the one before with its key. Rows are small and go to the page cache, which outlives the process though
not the machine; nothing is synced, for a call does not wait for a disk.

It is kept in segments, files of ascending number. When one has grown, the next begins, and each write to it copies a
few of the rows that are still of use; the old ones go when all are copied. So no write takes longer than a few rows do.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

_MAGIC = b"sipgw journal 1\n"
"""With the version of the format."""
_FRAME = struct.Struct("!II")
"""Length and CRC-32 of what follows."""
_COPIES = 4
"""Rows copied with each one written."""
_SMALLEST_BYTES = 1 << 20
"""Below that a segment is not worth copying."""


class _Row(msgspec.Struct, array_like=True, frozen=True):
    key: str
    value: bytes | None
    """None where the key is gone."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Row).decode


@dataclass(slots=True)
class Left:
    """What a journal held when it was opened."""

    rows: dict[str, bytes] = field(default_factory=dict)
    written: float = 0.0
    """Unix time of the last write; 0 where there was none."""
    problems: list[str] = field(default_factory=list)
    """What could not be read, for people. A torn last row, cut off in mid-write, is one."""


class Journal:
    """One journal in a folder that is ours alone. `open` comes first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, bytes] = {}
        self._live_bytes = 0
        self._to_copy: dict[str, None] = {}
        """Keys whose row is in an older segment only."""
        self._older: list[Path] = []
        self._number = 0
        self._file: int | None = None
        self._size = 0

    def __len__(self) -> int:
        """How many rows are of use."""
        return len(self._rows)

    def open(self) -> Left:
        """Read what an earlier process left; from then on it is kept as if we had written it.

        Raises:
            OSError: the folder cannot be read.
        """
        left = Left()
        for path in sorted(self._folder.glob("journal-" + 8 * "[0-9]")):
            self._older.append(path)
            self._number = int(path.name.partition("-")[2])
            left.written = max(left.written, path.stat().st_mtime)
            left.problems += _read(path, left.rows)
        self._rows = dict(left.rows)
        self._live_bytes = sum(map(len, self._rows.values()))
        self._to_copy = dict.fromkeys(self._rows)
        return left

    def put(self, key: str, value: bytes) -> None:
        """Write a row, unless it is there as it is.

        Raises:
            OSError: it could not be written; a later write makes up for it.
        """
        before = self._rows.get(key)
        if before == value and key not in self._to_copy:
            return
        self._live_bytes += len(value) - len(before or b"")
        self._rows[key] = value
        self._write(key)

    def drop(self, key: str) -> None:
        """The key is gone. One that is not there is no error.

        Raises:
            OSError: that could not be written; a later write makes up for it.
        """
        before = self._rows.pop(key, None)
        if before is not None:
            self._live_bytes -= len(before)
            self._write(key)

    def close(self) -> None:
        """Leave what is of use to the next process, and nothing where nothing is."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._older.append(self._path())
        if not self._rows:
            self._forget_older()

    def _write(self, key: str) -> None:
        """Write a key's row as it now is, and copy a few more."""
        if self._file is None or (self._size > _SMALLEST_BYTES + 2 * self._live_bytes and not self._older):
            self._begin()
        self._to_copy[key] = None
        for each in (key, *islice((other for other in self._to_copy if other != key), _COPIES)):
            self._append(_Row(each, self._rows.get(each)))
            del self._to_copy[each]
        if not self._to_copy:
            self._forget_older()

    def _begin(self) -> None:
        """Begin the next segment."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._older.append(self._path())
        self._to_copy.update(dict.fromkeys(self._rows))
        self._number += 1
        self._file = os.open(self._path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        self._put_bytes(_MAGIC)

    def _append(self, row: _Row) -> None:
        body = _encode(row)
        self._put_bytes(_FRAME.pack(len(body), zlib.crc32(body)) + body)

    def _put_bytes(self, data: bytes) -> None:
        assert self._file is not None, "a segment was begun"
        try:
            if os.write(self._file, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            # Nothing can be read behind a torn row: what comes next goes into a segment of its own.
            os.close(self._file)
            self._file = None
            self._older.append(self._path())
            raise
        self._size += len(data)

    def _forget_older(self) -> None:
        for path in self._older:
            path.unlink(missing_ok=True)
        self._older.clear()

    def _path(self) -> Path:
        return self._folder / f"journal-{self._number:08}"


def _read(path: Path, rows: dict[str, bytes]) -> Iterator[str]:
    """Bring `rows` up to date with one segment; what could not be read of it."""
    data = path.read_bytes()
    if not data.startswith(_MAGIC):
        if not _MAGIC.startswith(data):
            yield f"{path}: written by another version of sipgw, not read"
        return
    place = len(_MAGIC)
    while place < len(data):
        body = _framed(data, place)
        if body is None:
            yield f"{path}: torn at byte {place} of {len(data)}"
            return
        place += _FRAME.size + len(body)
        row = _decode(body)
        if row.value is None:
            rows.pop(row.key, None)
        else:
            rows[row.key] = row.value


def _framed(data: bytes, place: int) -> bytes | None:
    """What is framed there; None where it is torn."""
    if len(data) - place < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack_from(data, place)
    body = data[place + _FRAME.size : place + _FRAME.size + length]
    return body if len(body) == length and zlib.crc32(body) == checksum else None
