"""All timers of an agent in one heap, and the intervals of RFC 3261 table 4.

A timer that was stopped stays in the heap until its time comes or the dead outnumber the living; so stopping is free,
and a message costs no search.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from sipgw.options import SipOptions

Action = Callable[[float], None]
"""Called with `now` when the timer fires."""

_TOLERATED_DEAD = 1000


@dataclass(slots=True, order=True)
class Timer:
    """One timer; the handle with which it is stopped."""

    when: float
    serial: int
    action: Action | None = field(compare=False)


class Timers:
    """A heap of timers. Those due at the same time fire in the order they were started."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._serial = count()
        self._dead = 0

    def __len__(self) -> int:
        """How many are running."""
        return len(self._heap) - self._dead

    def start(self, when: float, action: Action) -> Timer:
        """Call `action` at `when`."""
        timer = Timer(when, next(self._serial), action)
        heapq.heappush(self._heap, timer)
        return timer

    def stop(self, timer: Timer | None) -> None:
        """Make sure `timer` does not fire; one that has fired or was stopped before is no error."""
        if timer is None or timer.action is None:
            return
        timer.action = None
        self._dead += 1
        if self._dead > _TOLERATED_DEAD and self._dead > len(self._heap) // 2:
            self._bury()

    def next(self) -> float | None:
        """When the next timer fires."""
        heap = self._heap
        while heap and heap[0].action is None:
            heapq.heappop(heap)
            self._dead -= 1
        return heap[0].when if heap else None

    def run(self, now: float) -> None:
        """Fire what is due, including what fired timers start for a time that has already come."""
        while (when := self.next()) is not None and when <= now:
            timer = heapq.heappop(self._heap)
            action, timer.action = timer.action, None
            if action is not None:
                action(now)

    def _bury(self) -> None:
        self._heap = [timer for timer in self._heap if timer.action is not None]
        heapq.heapify(self._heap)
        self._dead = 0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How long the timers of a transaction run, by its transport (RFC 3261 table 4, RFC 6026 section 7)."""

    t1: float
    t2: float
    t4: float
    reliable: bool

    @classmethod
    def of(cls, options: SipOptions, *, reliable: bool) -> "Intervals":
        """The intervals that `options` give on such a transport."""
        return cls(options.t1, options.t2, options.t4, reliable)

    @property
    def timeout(self) -> float:
        """Timers B, F, H, L and M: how long a transaction may last without a word."""
        return 64 * self.t1

    @property
    def repeats(self) -> float:
        """Timers D and J: how long repeats may come in; none do on a reliable transport.

        D has to be at least 32 s, which 64 * T1 is at its default.
        """
        return 0.0 if self.reliable else self.timeout

    @property
    def drain(self) -> float:
        """Timers I and K: how long a message may linger in the network."""
        return 0.0 if self.reliable else self.t4
