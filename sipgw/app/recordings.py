"""Looks after the folder of recordings while the gateway runs: in a thread, at the start and every hour."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from sipgw.worker.archive import purge, recover_all

_EVERY = 3600.0


class Recordings:
    """`start` it inside a running loop; `close` it.

    Args:
        folder: where they are.
        keep_days: how long; may be changed while it runs.
        alarm: takes what an operator should look at.
        log: takes what was done.
    """

    def __init__(
        self, folder: Path, keep_days: int, alarm: Callable[[str, str], None], log: FilteringBoundLogger
    ) -> None:
        self.keep_days = keep_days
        self._folder, self._alarm, self._log = folder, alarm, log
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tidy up now, and again and again."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop; what is under way is finished."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._tidy)
            except OSError as error:
                self._alarm("recordings_folder", f"{error.filename}: {error.strerror}")
            await asyncio.sleep(_EVERY)

    def _tidy(self) -> None:
        for kept in recover_all(self._folder):
            self._log.warning("recording recovered", path=kept.path, seconds=kept.seconds)
        if deleted := purge(self._folder, self.keep_days, time.time()):
            self._log.info("recordings deleted", count=deleted, older_than_days=self.keep_days)
