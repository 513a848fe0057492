"""One session as control sees it: what it is, which worker it lives in, and which it lived in before."""

import os
import time
from collections import deque
from dataclasses import dataclass, field

from sipgw.media import plane
from sipgw.media.continuing import continuation
from sipgw.media.table import Table
from sipgw.worker.child import Child
from sipgw.worker.known import Known

MANY_LOSSES, WITHIN = 3, 60.0
"""A session that lost so many workers in so many seconds may be what they die of: it is not given to another."""


@dataclass(slots=True, eq=False)
class Housed:
    """One session, and where it lives."""

    known: Known
    sockets: tuple[int, int]
    """Our own copies of its descriptors."""
    child: Child | None = None
    deadline: float = 0.0
    """Until when it waits for a worker."""
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=MANY_LOSSES))
    _left: tuple[Table, int] | None = None
    """Where its last worker that had it left its counters: table and row."""

    def settle(self, child: Child) -> None:
        """It lives there from now on."""
        self.child = child
        child.sessions += 1

    def lose(self, table: Table | None, slot: int | None, now: float) -> None:
        """Its worker died; its counters are in that row of that table."""
        self.child = None
        self._losses.append(now)
        if table is not None and slot is not None:
            self._left = table, slot

    def suspect(self, now: float) -> bool:
        """Whether workers may be dying of it."""
        return len(self._losses) == MANY_LOSSES and now - self._losses[0] < WITHIN

    def continuation(self) -> plane.Continuation | None:
        """Where its stream goes on; None where no worker had it."""
        if self._left is None:
            return None
        table, slot = self._left
        return continuation(table, slot, self.known.stream, time.monotonic() - table.beaten)

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in self.sockets:
            os.close(descriptor)
