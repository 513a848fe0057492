"""Keeps the records of a running gateway: the loop appends to the journal, a thread writes the database.

A thread, with a loop of its own for the database's asynchronous drivers, and not the gateway's loop: a statement costs
a millisecond of Python, a commit waits for a disk or a network, and media is due every 5 ms.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL
from structlog.typing import FilteringBoundLogger

from sipgw.call.cdr import CallRecord
from sipgw.errors import Unavailable
from sipgw.options import RecordOptions
from sipgw.records.engine import database_url, file_url
from sipgw.records.entry import Entry, encode
from sipgw.records.reading import Reader
from sipgw.records.runner import Runner
from sipgw.records.shelf import KeptBinding, Shelf
from sipgw.records.spill import Spill
from sipgw.records.store import Store
from sipgw.records.writer import Alarm, Counts, Writer

T = TypeVar("T")

DATABASE = "records.db"
_JOURNAL = "records"
_ASIDE = "rejected.jsonl"
_CLOSE_LIMIT = 5.0
"""Seconds for the last batch; what is not written by then is when the gateway starts again."""


def records_url(options: RecordOptions, state: Path) -> URL:
    """Where the records are.

    Raises:
        UsageError: see `database_url`.
    """
    return database_url(options.url) if options.url else file_url(state / DATABASE)


class Keeper:
    """`start` it inside a running loop, `keep` records, `close` it.

    Args:
        options: which database, and for how long.
        state: the state folder.
        alarm: called in the loop with what an operator should look at.
        log: takes what happens to the database.
    """

    def __init__(self, options: RecordOptions, state: Path, alarm: Alarm, log: FilteringBoundLogger) -> None:
        self._options, self._alarm, self._log = options, alarm, log
        self._url = records_url(options, state)
        self._folder = state / _JOURNAL
        self._spill, self._shelf = Spill(self._folder), Shelf()
        self.counts = Counts()
        self._refused = False
        """The disk does not take the journal."""
        self._reader = Reader(self._url)
        self._thread: threading.Thread | None = None
        self._runner: Runner | None = None

    def start(self) -> None:
        """Take records from now on; those an earlier process left are written first.

        Raises:
            Unavailable: the state folder cannot be written.
        """
        try:
            self.counts.kept += self._spill.open()
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be written: {error.strerror}") from None
        store = Store(self._url)
        loop, running = asyncio.get_running_loop(), threading.Event()

        def alarm(name: str, detail: str) -> None:
            loop.call_soon_threadsafe(self._alarm, name, detail)

        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(store, alarm, running)), name="records", daemon=True
        )
        self._thread.start()
        running.wait()

    def keep(self, record: CallRecord) -> None:
        """Take a record. When this returns it is in the journal; the database has it a moment later."""
        self.counts.kept += 1
        lost = self._spill.lost
        error = self._spill.append(encode(Entry(record)))
        if error is not None and not self._refused:
            self._alarm("records_journal", f"{error.strerror}; new records are in memory alone until they are written")
        self._refused = error is not None
        if self._spill.lost > lost:
            self.counts.failed += 1
            if not lost:
                self._alarm("records_lost", "neither disk nor database takes records, and memory holds no more")
        if self._runner is not None:
            self._runner.wake()

    def keep_bindings(self, node: str, phone: str, bindings: Sequence[KeptBinding]) -> None:
        """These are all the places where a phone is registered now; a database that works has them a moment later."""
        self._shelf.put(node, phone, bindings)
        if self._runner is not None:
            self._runner.wake()

    async def bindings(self, node: str) -> dict[str, list[KeptBinding]]:
        """Where the phones of a node were registered when an earlier process ended.

        Raises:
            Exception: whatever the database has to say, or the keeper is not at work.
        """
        if self._runner is None:
            raise Unavailable("the records are not kept now: the gateway starts or stops")
        return await asyncio.wrap_future(self._runner.submit(self._runner.bindings(node)))

    async def read(self, ask: Callable[[Reader], Coroutine[Any, Any, T]]) -> T:
        """What `ask` reads, in the thread.

        Raises:
            Unavailable: the database is not to be had, or the keeper is not at work.
        """
        if self._runner is None:
            raise Unavailable("the records are not kept now: the gateway starts or stops")
        return await asyncio.wrap_future(self._runner.submit(ask(self._reader)))

    def reconfigure(self, options: RecordOptions) -> None:
        """Keep records for so long from now on; another database needs a restart."""
        self._options = options
        if self._runner is not None:
            self._runner.options = options

    async def close(self) -> None:
        """Write what there is, if the database takes it soon."""
        thread, runner = self._thread, self._runner
        if thread is None or runner is None:
            return
        self._thread = self._runner = None
        runner.stop()
        await asyncio.to_thread(thread.join, _CLOSE_LIMIT)
        if not thread.is_alive():
            self._spill.close()
        if self.counts.pending:
            self._log.warning("records wait for the next start", records=self.counts.pending)

    async def _run(self, store: Store, alarm: Alarm, running: threading.Event) -> None:
        writer = Writer(self._spill, store, self._folder / _ASIDE, self.counts, alarm)
        runner = Runner(
            *(self._spill, self._shelf, store, writer, self.counts),
            options=self._options,
            alarm=alarm,
            log=self._log,
        )
        self._runner = runner
        running.set()
        try:
            await runner.run()
        finally:
            await self._reader.close()
