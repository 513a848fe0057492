"""The audit log: who did what with a token, to which call, and what came of it.

One JSON object a line, in files that are turned over by size. A thread of its own writes and reads them: disks have
their moments, and calls are not to feel them.
"""

import asyncio
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

_MOST_BYTES = 5_000_000
_KEPT = 5
_LINE_BYTES = 400
"""What a line takes at most, but for rare ones; more of the file than is needed is read, never all of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done, or tried."""

    when: float
    """Unix time."""
    who: str
    """The token's name; empty where the token was bad."""
    source: str
    """The address it came from."""
    what: str
    call: str
    """The call it was done to; empty where it concerns none."""
    outcome: str
    """`done`, or why not."""


class AuditLog:
    """Keeps entries.

    Args:
        path: of the newest file; older ones are called `path.1` and so on.
        log: gets a line for each entry, too.
        most_bytes: after which the next file begins.
        kept: how many older files there may be.
    """

    def __init__(
        self, path: Path, log: FilteringBoundLogger, *, most_bytes: int = _MOST_BYTES, kept: int = _KEPT
    ) -> None:
        self._path, self._log, self._most_bytes, self._kept = path, log, most_bytes, kept
        self._thread = ThreadPoolExecutor(1, "audit")

    def note(self, entry: Entry) -> None:
        """Keep an entry; returns before it is written."""
        self._log.info(
            "audit", who=entry.who, source=entry.source, what=entry.what, call=entry.call, outcome=entry.outcome
        )
        self._thread.submit(self._write, entry).add_done_callback(self._written)

    async def newest(self, count: int) -> list[Entry]:
        """The newest entries, the newest first, those in older files included."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, count)

    def close(self) -> None:
        """Wait until everything is written."""
        self._thread.shutdown()

    def _written(self, future: "Future[None]") -> None:
        if (error := future.exception()) is not None:
            self._log.error("audit entry not written", file=str(self._path), reason=str(error))

    def _write(self, entry: Entry) -> None:
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        with open(self._path, "a", encoding="utf-8", opener=_private) as file:
            file.write(line)
            full = file.tell() >= self._most_bytes
        if full:
            self._turn_over()

    def _turn_over(self) -> None:
        for number in range(self._kept, 1, -1):
            if (older := self._numbered(number - 1)).exists():
                older.replace(self._numbered(number))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _read(self, count: int) -> list[Entry]:
        found: list[Entry] = []
        for path in (self._path, *map(self._numbered, range(1, self._kept + 1))):
            if len(found) < count and path.exists():
                found += _newest_of(path, count - len(found))
        return found


def _newest_of(path: Path, count: int) -> list[Entry]:
    with open(path, "rb") as file:
        start = max(file.seek(0, os.SEEK_END) - count * _LINE_BYTES, 0)
        file.seek(start)
        lines = file.read().splitlines()
    # Where it was not read from its beginning, the first line is a part of one.
    whole = lines[1:] if start else lines
    return [Entry(**json.loads(line)) for line in reversed(whole[-count:])]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
