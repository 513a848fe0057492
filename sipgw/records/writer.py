"""Carries records from the journal into the database, a batch at a time; what no database takes is put aside."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sipgw.records.entry import BadEntry, Entry, decode
from sipgw.records.spill import Line, Spill
from sipgw.records.store import Store

BATCH = 100
"""Records a transaction holds: more would keep the interpreter from the calls for longer."""

Alarm = Callable[[str, str], None]
"""Takes the name of what an operator should look at, and a sentence."""


@dataclass(slots=True)
class Counts:
    """What became of records. The keeper's thread counts, anybody may read."""

    kept: int = 0
    """Taken, since the start or before it, and not yet written then."""
    written: int = 0
    failed: int = 0
    """Put aside, torn or given up."""
    down: bool = False
    """The database does not take records now."""

    @property
    def pending(self) -> int:
        """Those that wait for the database."""
        return max(self.kept - self.written - self.failed, 0)


class Writer:
    """Empties a journal into a database.

    Args:
        spill: the journal.
        store: the database.
        aside: the file for records that cannot be written.
        counts: kept up to date.
        alarm: told of records put aside.
    """

    def __init__(self, spill: Spill, store: Store, aside: Path, counts: Counts, alarm: Alarm) -> None:
        self._spill, self._store, self._aside = spill, store, aside
        self._counts, self._alarm = counts, alarm

    async def step(self) -> int:
        """Write a batch; returns how many lines it had.

        Raises:
            Exception: the database does not take it now; the journal still has it.
        """
        lines = self._spill.take(BATCH)
        if not lines:
            return 0
        entries, bad = self._decoded(lines)
        refused = await self._store.write([entry.call for _, entry in entries])
        reasons = {record.call: why for record, why in refused}
        bad += [(line, reasons[entry.call.call]) for line, entry in entries if entry.call.call in reasons]
        for line, why in bad:
            self._put_aside(line, why)
        self._spill.done()
        self._counts.written += len(lines) - len(bad)
        self._counts.failed += len(bad)
        return len(lines)

    def _decoded(self, lines: list[Line]) -> tuple[list[tuple[Line, Entry]], list[tuple[Line, str]]]:
        entries: list[tuple[Line, Entry]] = []
        bad: list[tuple[Line, str]] = []
        for line in lines:
            try:
                entries.append((line, decode(line.data)))
            except BadEntry as error:
                bad.append((line, "cut off" if line.torn else str(error)))
        return entries, bad

    def _put_aside(self, line: Line, why: str) -> None:
        file = os.open(self._aside, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line.data + b"\n")
        finally:
            os.close(file)
        self._alarm("record_rejected", f"{why}; the record is in {self._aside}")
