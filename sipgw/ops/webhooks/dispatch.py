"""Takes what happened to the disk, for every endpoint that hears of it, and keeps the deliverers at it.

Lives in one loop, which is not that of the calls.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from sipgw.call.feed import Happening
from sipgw.ops.webhooks.delivery import Deliverer
from sipgw.ops.webhooks.event import body, message_id
from sipgw.ops.webhooks.outbox import Message, Outbox
from sipgw.ops.webhooks.tally import Tally
from sipgw.options import WebhookOptions

LARGEST_BYTES = 256 << 10
"""Of a body; larger ones are dropped and counted."""
KEEP_GIVEN_UP = 7 * 86_400.0
"""Seconds that deliveries which were given up can still be asked for."""
_HOUSEKEEPING = 2.0
"""Seconds between looks at what is waiting, and attempts to write what could not be written."""


class _Served(NamedTuple):
    """An endpoint and who delivers to it."""

    options: WebhookOptions
    deliverer: Deliverer
    task: asyncio.Task[None]


class Dispatch:
    """All endpoints'.

    Args:
        outbox: where deliveries are kept; closed with this.
        node: names the gateway in every body.
        tally: counts.
        wall: tells Unix time.
        most_unwritten: messages that may wait to be written while the disk does not take them.
    """

    def __init__(
        self, outbox: Outbox, node: str, tally: Tally, log: FilteringBoundLogger,
        *, wall: Callable[[], float] = time.time, most_unwritten: int = 10_000,
    ) -> None:  # fmt: skip
        self._outbox, self._node, self._tally, self._log = outbox, node, tally, log
        self._wall, self._most_unwritten = wall, most_unwritten
        self._served: dict[str, _Served] = {}
        self._disabled: set[tuple[str, str]] = set()
        self._unwritten: deque[tuple[str, Message]] = deque()
        self._housekeeping = asyncio.create_task(self._keep_house())

    async def serve(self, endpoints: Sequence[WebhookOptions]) -> None:
        """These are the endpoints from now on; those that are the same as before are not disturbed."""
        named = {options.place.name: options for options in endpoints}
        changed = [name for name, served in self._served.items() if named.get(name) != served.options]
        await self._dismiss(changed)
        for name, options in named.items():
            if name not in self._served:
                deliverer = Deliverer(options, self._outbox, self._tally, self._log, wall=self._wall)
                self._served[name] = _Served(options, deliverer, asyncio.create_task(deliverer.run()))

    def take(self, happenings: Iterable[Happening]) -> None:
        """Keep what happened, for whoever hears of it."""
        for happening in happenings:
            name = message_id()
            message = Message(
                name, happening.kind.value, happening.call, self._wall(), body(happening, name, self._node)
            )
            for endpoint in self._hearers(message):
                self._keep(endpoint, message)
        self._write()

    async def close(self) -> None:
        """Stop delivering; what is pending stays on disk."""
        self._housekeeping.cancel()
        await asyncio.gather(self._housekeeping, return_exceptions=True)
        self._write()
        await self._dismiss(tuple(self._served))
        self._outbox.close()

    def _hearers(self, message: Message) -> Iterator[str]:
        for name, served in self._served.items():
            if message.kind in served.options.events and (name, served.options.place.url) not in self._disabled:
                yield name

    def _keep(self, endpoint: str, message: Message) -> None:
        if len(message.body) > LARGEST_BYTES:
            self._tally.dropped[endpoint, "too_large"] += 1
        elif len(self._unwritten) >= self._most_unwritten:
            self._tally.dropped[endpoint, "disk_failed"] += 1
        else:
            self._unwritten.append((endpoint, message))

    def _write(self) -> None:
        """To the disk, all or nothing; what it does not take waits for the next time."""
        if not self._unwritten:
            return
        most = {name: served.options.most_pending for name, served in self._served.items()}
        try:
            left_out = self._outbox.add(self._unwritten, most)
        except sqlite3.Error as error:
            self._log.error("webhooks cannot be written", error=str(error), waiting=len(self._unwritten))
            return
        for endpoint, count in left_out.items():
            self._tally.dropped[endpoint, "queue_full"] += count
        self._unwritten.clear()
        for served in self._served.values():
            served.deliverer.wake()

    async def _dismiss(self, names: Iterable[str]) -> None:
        tasks = [self._served.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_house(self) -> None:
        while True:
            self._write()
            try:
                self._outbox.forget(self._wall() - KEEP_GIVEN_UP, tuple(self._served))
                self._disabled = self._outbox.disabled()
                self._tally.waiting, self._tally.now = tuple(self._outbox.waiting()), self._wall()
            except sqlite3.Error as error:
                self._log.error("webhooks cannot be read", error=str(error))
            await asyncio.sleep(_HOUSEKEEPING)
