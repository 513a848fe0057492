"""Where the bytes of a recording go: a file here. Encryption and object stores are further sinks.

Everything in here may block: it is called from a recorder's threads, never from the loop.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sipgw.audio.wav import HEAD_BYTES, mended, seconds
from sipgw.errors import Unavailable
from sipgw.options import RecordingOptions

PARTIAL = ".part"
"""Ends the name of a file that is being written, or whose writer was killed."""
_READ_BYTES = 1 << 20
_MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a recording."""

    path: str
    """Where it is found."""
    sha256: str
    """Of the whole file, in hexadecimal."""
    seconds: float


class Sink(Protocol):
    """Takes one recording."""

    @property
    def path(self) -> str:
        """Where the recording will be found."""

    def write(self, block: bytes, head: bytes) -> None:
        """Append a block.

        Args:
            block: bytes that never change again.
            head: what the first bytes of the whole are to be from now on; always of the same length.

        Raises:
            OSError: it cannot be written; what was written before may still be kept by `close`.
        """

    def close(self) -> Kept:
        """The recording is complete: make it durable. Raises OSError."""


OpenSink = Callable[[str, bytes], Sink]
"""Opens a sink by the recording's name and its first head. Raises Unavailable."""


class FileSink:
    """A file that has its own name once it is complete.

    It is locked while it is written, so that whoever finds a partial file knows whether its writer lives.

    Args:
        folder: where recordings are kept.
        name: relative path without an ending; where there is such a recording, a number makes it another.
        head: the first bytes.
        min_free_bytes: what has to be free.

    Raises:
        Unavailable: too little space is free, or the file cannot be made.
    """

    def __init__(self, folder: Path, name: str, head: bytes, min_free_bytes: int = 0) -> None:
        try:
            wanted = folder / f"{name}.wav"
            wanted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            free = shutil.disk_usage(folder).free
            if free < min_free_bytes:
                raise Unavailable(f"{folder} has {free >> 20} MiB free, less than the {min_free_bytes >> 20} wanted")
            self._final, self._partial, self._file = _made(wanted)
            os.write(self._file, head)
            self._head = head
        except OSError as error:
            raise Unavailable(f"{folder} cannot be written: {error.strerror}") from None

    @property
    def path(self) -> str:
        """Where the recording will be found."""
        return str(self._final)

    def write(self, block: bytes, head: bytes) -> None:
        """Append a block, and say so in the head: the file can be played whatever becomes of us."""
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.pwrite(self._file, head, 0)
        self._head = head

    def close(self) -> Kept:
        """Make it durable under its own name."""
        try:
            os.fsync(self._file)
            digest = _digest(self._file)
            self._partial.rename(self._final)
            _sync_folder(self._final.parent)
        finally:
            os.close(self._file)
        return Kept(self.path, digest, seconds(self._head))


def open_file(options: RecordingOptions, name: str, head: bytes) -> Sink:
    """A file where the settings say. Raises Unavailable."""
    if not options.folder:
        raise Unavailable("there is no folder for recordings")
    return FileSink(Path(options.folder), name, head, options.min_free_bytes)


def _made(wanted: Path) -> tuple[Path, Path, int]:
    """A new partial file, locked, and the name it will have: `wanted`, or that with the first number that is free."""
    for number in range(1, _MOST_NAMES):
        final = wanted if number == 1 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        partial = final.with_name(final.name + PARTIAL)
        try:
            file = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        if final.exists():
            os.close(file)
            partial.unlink()
            continue
        fcntl.flock(file, fcntl.LOCK_EX)
        return final, partial, file
    raise FileExistsError(0, f"there are {_MOST_NAMES} recordings {wanted.name}")


def _digest(file: int) -> str:
    found, at = hashlib.sha256(), 0
    while block := os.pread(file, _READ_BYTES, at):
        found.update(block)
        at += len(block)
    return found.hexdigest()


def _sync_folder(folder: Path) -> None:
    """A new name is durable when its folder is."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def recover(partial: Path) -> Kept | None:
    """Finish the file of a writer that was killed; None where its writer lives, or it is not a recording.

    Raises:
        OSError: it cannot be read or written.
    """
    file = os.open(partial, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        head = mended(os.pread(file, HEAD_BYTES, 0), os.fstat(file).st_size)
        if head is None:
            return None
        os.pwrite(file, head, 0)
        os.fsync(file)
        digest = _digest(file)
        final = partial.with_suffix("")
        partial.rename(final)
        _sync_folder(final.parent)
    except BlockingIOError:
        return None
    finally:
        os.close(file)
    return Kept(str(final), digest, seconds(head))
