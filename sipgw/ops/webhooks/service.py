"""The webhooks of a running gateway, as its loop sees them: what happens is handed over, and nothing is waited for."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from sipgw.call.feed import Happening
from sipgw.io.aside import Aside
from sipgw.ops.feed import Entry
from sipgw.ops.webhooks.dispatch import Dispatch
from sipgw.ops.webhooks.outbox import FILE, Outbox
from sipgw.ops.webhooks.tally import Tally
from sipgw.options import WebhookOptions

_MOST_TAKEN = 100_000
"""Happenings that may wait for the thread; more are dropped and counted."""


class Webhooks:
    """Hears the feed; a thread of its own writes and delivers. There is none while there are no endpoints.

    Args:
        folder: of the state.
        node: names the gateway.
    """

    def __init__(self, folder: Path, node: str, log: FilteringBoundLogger) -> None:
        self._folder, self._node, self._log = folder, node, log
        self.tally = Tally()
        self._wanted: frozenset[str] = frozenset()
        self._taken: deque[Happening] = deque()
        self._aside: Aside | None = None
        self._dispatch: Dispatch | None = None

    async def start(self, endpoints: Sequence[WebhookOptions]) -> None:
        """Deliver to these, what is left from the last run first.

        Raises:
            Unavailable: the file in the state folder cannot be used.
        """
        if endpoints:
            await asyncio.wrap_future(self._begin(endpoints))

    def serve(self, endpoints: Sequence[WebhookOptions]) -> None:
        """Deliver to these from now on. What goes wrong is logged."""
        if endpoints or self._aside is not None:
            self._begin(endpoints).add_done_callback(self._complain)

    def hear(self, entry: Entry) -> None:
        """Something happened. Costs some microseconds."""
        if self._aside is None or entry.happening.kind.value not in self._wanted:
            return
        if len(self._taken) >= _MOST_TAKEN:
            self.tally.dropped["", "overrun"] += 1
            return
        self._taken.append(entry.happening)
        if len(self._taken) == 1:
            self._aside.call(self._take)

    async def stop(self) -> None:
        """Keep what was heard, and end. What is not delivered is delivered by the next run."""
        if self._aside is not None:
            await asyncio.wrap_future(self._aside.run(self._close()))
            await self._aside.stop()
            self._aside = None

    def _begin(self, endpoints: Sequence[WebhookOptions]) -> Future[None]:
        if self._aside is None:
            self._aside = Aside("webhooks")
        self._wanted = frozenset[str]().union(*(options.events for options in endpoints))
        return self._aside.run(self._serve(endpoints))

    def _complain(self, served: Future[None]) -> None:
        if not served.cancelled() and (error := served.exception()):
            self._log.error("webhooks are not delivered", error=str(error))

    # --- in the thread ---------------------------------------------------------------------------------------------

    async def _serve(self, endpoints: Sequence[WebhookOptions]) -> None:
        if self._dispatch is None:
            self._dispatch = Dispatch(Outbox(self._folder / FILE), self._node, self.tally, self._log)
        await self._dispatch.serve(endpoints)
        self._take()  # what came while there was no dispatch yet

    async def _close(self) -> None:
        if self._dispatch is not None:
            self._take()
            await self._dispatch.close()
            self._dispatch = None

    def _take(self) -> None:
        if self._dispatch is None:
            return
        taken = []
        while self._taken:
            taken.append(self._taken.popleft())
        self._dispatch.take(taken)
