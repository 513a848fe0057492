"""Measures how busy the node is: how late control's loop serves what is due, and how late media ticks are."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from sipgw.call.pressure import Load
from sipgw.worker.tick import Lateness

BEAT = 0.05
"""Seconds between two looks at the clock."""
_MEASURE = 1.0
"""Seconds a measurement covers."""
LAG_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Upper bounds of the lag histogram's buckets. A SIP peer repeats itself after 500."""


class Counted(Protocol):
    """A media worker."""

    @property
    def lateness(self) -> Lateness:
        """Of its ticks, since it began."""


class LoadWatch:
    """Looks at the clock twenty times a second and tells once a second what it saw. Make it inside a running loop.

    Args:
        workers: the media workers there are now, by place.
        tell: takes the measurements.
        clock: the time.
    """

    def __init__(
        self, workers: Callable[[], Mapping[str, Counted]], tell: Callable[[Load], None], clock: Callable[[], float]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers, self._tell, self._clock = workers, tell, clock
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._begun = self._worst_ms = 0.0
        self._seen: dict[str, tuple[int, float]] = {}
        """Ticks of each worker, and the sum of their lateness, at the last measurement."""
        self.lag = Lateness(bounds_ms=LAG_MS)
        """How late the loop was at each beat, which is how long a message waits there."""

    def start(self) -> None:
        """Begin to measure."""
        self._media_late_ms()
        self._begun = self._clock()
        self._arm(self._begun)

    def stop(self) -> None:
        """Measure no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, now: float) -> None:
        self._due = now + BEAT
        self._timer = self._loop.call_later(BEAT, self._beat)

    def _beat(self) -> None:
        now = self._clock()
        late_ms = max(now - self._due, 0.0) * 1000  # by its resolution, a timer may fire early
        self.lag.add(late_ms, 0)
        self._worst_ms = max(self._worst_ms, late_ms)
        self._arm(now)
        if now - self._begun >= _MEASURE:
            self._begun = now
            worst_ms, self._worst_ms = self._worst_ms, 0.0
            self._tell(Load(worst_ms, self._media_late_ms()))

    def _media_late_ms(self) -> float:
        """How late the ticks since the last measurement were, on average, where that was worst."""
        seen = {place: (one.lateness.ticks, one.lateness.sum_ms) for place, one in self._workers().items()}
        before, self._seen = self._seen, seen
        return max((_average(before.get(place, (0, 0.0)), now) for place, now in seen.items()), default=0.0)


def _average(before: tuple[int, float], now: tuple[int, float]) -> float:
    """Of the ticks in between; a worker that was replaced has begun anew."""
    ticks, sum_ms = (now[0] - before[0], now[1] - before[1]) if now[0] >= before[0] else now
    return sum_ms / ticks if ticks else 0.0
