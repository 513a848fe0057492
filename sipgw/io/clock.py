"""The clock for everything that is timed: seconds that only go forward."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where a shell gets the `now` that it hands to its core."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""


class MonotonicClock:
    """The machine's own; asyncio and uvloop count from the same moment."""

    def now(self) -> float:
        """Seconds on CLOCK_MONOTONIC."""
        return time.monotonic()
