"""The keeper's thread: writes what comes, tries again when the database is down, deletes what is too old."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from structlog.typing import FilteringBoundLogger

from sipgw.options import RecordOptions
from sipgw.records.shelf import KeptBinding, Shelf
from sipgw.records.spill import Spill
from sipgw.records.store import Store, said
from sipgw.records.writer import Alarm, Counts, Writer

T = TypeVar("T")

_GATHER = 0.5
"""Seconds in which records become a batch: a transaction costs ten times as much as a record in it."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_PURGE_EVERY = 3600.0


class Runner:
    """Made and run in the thread's own loop; `wake` and `stop` may be called from any thread.

    Args:
        spill: the journal.
        shelf: where phones are registered.
        store: the database.
        writer: carries one into the other.
        counts: told whether the database is down.
        options: how old a record may get.
        alarm: told once when the database stops working.
        log: told when it works again, and of migrations.
    """

    def __init__(
        self,
        spill: Spill,
        shelf: Shelf,
        store: Store,
        writer: Writer,
        counts: Counts,
        *,
        options: RecordOptions,
        alarm: Alarm,
        log: FilteringBoundLogger,
    ) -> None:
        self._spill, self._shelf, self._store, self._writer, self._counts = spill, shelf, store, writer, counts
        self._migrating = asyncio.Lock()
        self._alarm, self._log = alarm, log
        self.options = options
        """Others may take their place at any time."""
        self._loop = asyncio.get_running_loop()
        self._wanted, self._stopped = asyncio.Event(), asyncio.Event()
        self._woken = False
        self._purged: float | None = None

    def wake(self) -> None:
        """There is something to write. Costs next to nothing while that is known already."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._wanted.set)

    def stop(self) -> None:
        """Write what there is, once, and end."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._loop.call_soon_threadsafe(self._wanted.set)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Do something else in the thread's loop meanwhile."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def run(self) -> None:
        """Work until stopped."""
        pause = 0.0
        try:
            while not self._stopped.is_set():
                pause = await self._round(pause)
                await self._rest(pause)
            await self._round(pause)
        finally:
            await self._store.close()

    async def _round(self, pause: float) -> float:
        """Write all there is; returns how long to leave the database alone before it is asked again, 0 if it works."""
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001 whatever a driver raises, records wait and the thread goes on
            return self._fails(error, pause)
        if self._counts.down:
            self._counts.down = False
            self._log.info("records are written again")
        return 0.0

    async def bindings(self, node: str) -> dict[str, list[KeptBinding]]:
        """Where the phones of a node were registered when it was last written."""
        await self._migrate()
        return await self._store.bindings(node)

    async def _migrate(self) -> None:
        async with self._migrating:
            if self._store.migrated:
                return
            before, after = await self._store.migrate()
            if before != after:
                self._log.info("records migrated", before=before or "nothing", after=after)

    async def _write(self) -> None:
        await self._migrate()
        await self._store.write_bindings(self._shelf)
        while await self._writer.step():
            pass
        if self._purged is None or time.monotonic() - self._purged > _PURGE_EVERY:
            await self._purge()
            self._purged = time.monotonic()

    async def _purge(self) -> None:
        options, now = self.options, datetime.now(UTC)
        calls = words = 0
        if options.transcript_days:
            words = await self._store.forget_words(now - timedelta(days=options.transcript_days))
        if options.keep_days:
            calls = await self._store.purge(now - timedelta(days=options.keep_days))
        if calls or words:
            self._log.info("old records deleted", calls=calls, utterances=words)

    def _fails(self, error: Exception, pause: float) -> float:
        if not self._counts.down:
            self._counts.down = True
            self._alarm("records_database", f"{said(error)}; {self._counts.pending} records wait in the journal")
        with contextlib.suppress(OSError):  # the disk that refuses is the one to be told of, and it has been
            self._spill.sync()
        return min(pause * 2, _LONGEST_PAUSE) if pause else _FIRST_PAUSE

    async def _rest(self, pause: float) -> None:
        """Until there is something to do, and a moment longer for what comes with it."""
        if pause:
            await _for(self._stopped, pause)
        else:
            await _for(self._wanted, _PURGE_EVERY)
            await _for(self._stopped, _GATHER)
        self._wanted.clear()
        self._woken = False


async def _for(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than that."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
