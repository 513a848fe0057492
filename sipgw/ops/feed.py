"""The feed: everything that happens in calls, in order, with a cursor; the newest is kept for those who come back.

It lives in the loop. A listener is called at once and must only take note: whoever is slow keeps a queue of its own.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from sipgw.call.feed import Happening

Listener = Callable[["Entry"], None]


class Entry(NamedTuple):
    """One happening and its place in the feed."""

    cursor: int
    """Counts from 1."""
    happening: Happening


class Feed:
    """Keeps the newest happenings and passes each on.

    Args:
        keep: how many.
    """

    def __init__(self, keep: int = 10_000) -> None:
        self._kept: deque[Entry] = deque(maxlen=keep)
        self._listeners: list[Listener] = []
        self.cursor = 0
        """Of the newest entry; 0 where there was none."""

    def publish(self, happening: Happening) -> None:
        """Take what happened."""
        self.cursor += 1
        entry = Entry(self.cursor, happening)
        self._kept.append(entry)
        for listener in tuple(self._listeners):
            listener(entry)

    def since(self, cursor: int) -> list[Entry] | None:
        """What came after `cursor`; None where some of it is no longer kept, or the cursor is of another run."""
        if cursor > self.cursor:
            return None
        missed = self.cursor - cursor
        if missed > len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missed :]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Pass everything on to `listener` from now on; call what is returned to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
