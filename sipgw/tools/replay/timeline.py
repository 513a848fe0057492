"""Simulated time: what is to happen when, and a clock that jumps from one to the next."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class Appointment:
    """Something that is to happen; `cancel` takes it back."""

    when: float
    serial: int
    """Of two at the same time the one made first comes first, so that every run is alike."""
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """It is not wanted any more."""
        self.action = None


class Timeline:
    """All appointments of one simulation; `now` is in seconds from its beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[Appointment] = []
        self._serial = 0

    def at(self, when: float, action: Callable[[], None]) -> Appointment:
        """Do something at `when`, or now if that is over."""
        self._serial += 1
        made = Appointment(max(when, self.now), self._serial, action)
        heapq.heappush(self._waiting, made)
        return made

    def next(self) -> float | None:
        """When something happens next."""
        while self._waiting and self._waiting[0].action is None:
            heapq.heappop(self._waiting)
        return self._waiting[0].when if self._waiting else None

    def step(self) -> None:
        """Go on to what happens next, and let it happen."""
        if self.next() is not None:
            due = heapq.heappop(self._waiting)
            self.now, action, due.action = due.when, due.action, None
            if action is not None:
                action()
