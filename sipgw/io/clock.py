"""The two clocks: seconds that only go forward, for everything that is timed, and the time of day, for records."""

import time
from datetime import UTC, datetime
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


def wall_clock() -> datetime:
    """The time of day in UTC."""
    return datetime.now(UTC)


def timestamp(when: datetime) -> str:
    """A time of day as records and backends get it: RFC 3339 in UTC with milliseconds."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
