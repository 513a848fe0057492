"""Who listens to what happens: each client has a queue of its own, and one that is too slow is cut off.

A cursor names the run of the gateway it is from: after a restart it is known for what it is.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sipgw.call.feed import Kind
from sipgw.ops.feed import Entry, Feed

ROOM = 2000
"""Entries that may wait for a client."""
AT_ONCE = 50
"""Entries handed over at a time: encoding more would hold up the loop."""
MOST = 50
"""Clients."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants to hear of."""

    call: str = ""
    """Only of this call; empty for all."""
    kinds: frozenset[Kind] = frozenset()
    """Only these; none for all."""

    def fits(self, entry: Entry) -> bool:
        """Whether it wants this."""
        happening = entry.happening
        return (not self.call or happening.call == self.call) and (not self.kinds or happening.kind in self.kinds)


class Subscription:
    """One client's. It ends when `close` is called by whoever made it."""

    def __init__(self, feed: Feed, wanted: Wanted, since: int | None, closed: Callable[["Subscription"], None]) -> None:
        kept = feed.since(feed.cursor if since is None else since)
        self._feed, self._wanted, self._closed = feed, wanted, closed
        self.gap = kept is None
        """Some of what came after the cursor is no longer kept."""
        self.cut = False
        """It was too slow."""
        self.over = False
        """Nothing more comes."""
        self.position = feed.cursor if since is None or kept is None else since
        """Everything wanted up to here has been handed over."""
        self._early = deque(entry for entry in kept or () if wanted.fits(entry))
        self._waiting: deque[Entry] = deque()
        self._news = asyncio.Event()
        self._leave: Callable[[], None] | None = feed.listen(self._take)

    async def next(self, patience: float) -> list[Entry]:
        """What came, a part at a time; nothing where nothing did within `patience` seconds, or it is over."""
        if not self._early and not self._waiting and not self.over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience)
        source = self._early or self._waiting
        entries = [source.popleft() for _ in range(min(AT_ONCE, len(source)))]
        if not self._early and not self._waiting:
            self._news.clear()
            if not self.over:
                self.position = self._feed.cursor
        if entries and (self._early or self._waiting):
            self.position = entries[-1].cursor
        return entries

    def end(self) -> None:
        """Hand over nothing more."""
        self.over = True
        self._news.set()

    def close(self) -> None:
        """Nobody listens any longer."""
        if self._leave is not None:
            self._leave()
            self._leave = None
            self._closed(self)

    def _take(self, entry: Entry) -> None:
        if self.over or not self._wanted.fits(entry):
            return
        if len(self._waiting) >= ROOM:
            self.cut = True
            self._early.clear()
            self._waiting.clear()
            self.end()
            return
        self._waiting.append(entry)
        self._news.set()


class Streams:
    """All clients.

    Args:
        feed: what they listen to.
        run: a word for this run of the gateway.
    """

    def __init__(self, feed: Feed, run: str) -> None:
        self._feed, self._run = feed, run
        self._open: set[Subscription] = set()

    @property
    def full(self) -> bool:
        """Whether there is no room for another client."""
        return len(self._open) >= MOST

    @property
    def cursor(self) -> str:
        """The newest entry's."""
        return self.name(self._feed.cursor)

    def name(self, cursor: int) -> str:
        """A cursor as clients see it."""
        return f"{self._run}.{cursor}"

    def subscribe(self, wanted: Wanted, since: str) -> Subscription:
        """Listen from now on, or from a cursor on; one that means nothing here leaves a gap."""
        run, _, number = since.partition(".")
        known = run == self._run and number.isascii() and number.isdecimal()
        at = (int(number) if known else self._feed.cursor + 1) if since else None
        subscription = Subscription(self._feed, wanted, at, self._open.discard)
        self._open.add(subscription)
        return subscription

    def end(self) -> None:
        """The gateway stops."""
        for subscription in tuple(self._open):
            subscription.end()
