"""What was measured: a run, the runs with one number of calls, and the whole series, as JSON can hold them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

LATE_LIMIT_MS = 1.0
"""A generator later than this (99th percentile) measures itself."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution, in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Spread | None":
        """Of measured values; None where there are none."""
        if not len(values):
            return None
        return cls(round(float(np.percentile(values, 50)), 3), round(float(np.percentile(values, 99)), 3))


@dataclass(slots=True)
class Run:
    """One run. A figure is None where it could not be had."""

    calls: int
    answered: int
    cpu_ms: float | None = None
    """CPU of the whole gateway, in milliseconds a call-second."""
    cpu_workers_ms: float | None = None
    """Of that, the media workers' part; 0 where media runs in control's process."""
    floor_ms: float | None = None
    """The same bytes through raw sockets, measured just before."""
    wakeups: float | None = None
    """How often a second the gateway was woken; the dearer its processor's switches, the more that costs."""
    rss_mb: float | None = None
    to_ai_ms: Spread | None = None
    """Delay the gateway adds from caller to AI."""
    to_caller_ms: Spread | None = None
    """From AI to caller."""
    echo_ms: Spread | None = None
    """Both, as the caller hears it."""
    pacing_ms: Spread | None = None
    """How far the time between two packets is from 20 ms."""
    heard: float = 0.0
    """Frames that came to the AI, for each packet the callers sent."""
    lost_to_caller: int = 0
    """Packets missing in what the callers got."""
    marks_lost: int = 0
    """Marks that were never heard."""
    counted: dict[str, int] = field(default_factory=dict)
    """What the gateway itself counted over its calls."""
    generator_late_ms: Spread | None = None
    other_cores: float = 0.0
    """CPU that other programs used meanwhile, in cores: the machine was not ours alone."""
    invalid: list[str] = field(default_factory=list)
    """Why its delays are not to be trusted."""

    @property
    def to_floor(self) -> float | None:
        """Cost as a multiple of the floor's."""
        return self.cpu_ms / self.floor_ms if self.cpu_ms and self.floor_ms else None

    @property
    def calls_per_core(self) -> float | None:
        """How many such calls would fill a core."""
        return 1000 / self.cpu_ms if self.cpu_ms else None

    def judge(self) -> None:
        """Say what makes it invalid."""
        if self.answered < self.calls:
            self.invalid.append(f"{self.calls - self.answered} calls were not answered")
        if self.generator_late_ms is not None and self.generator_late_ms.p99 >= LATE_LIMIT_MS:
            self.invalid.append(f"the generator was {self.generator_late_ms.p99} ms late itself (99th percentile)")


FIGURES = {
    "cpu_ms": "CPU ms a call-second",
    "cpu_workers_ms": "of that, workers",
    "floor_ms": "floor, ms a call-second",
    "to_floor": "CPU, times the floor",
    "calls_per_core": "calls a core",
    "wakeups": "wake-ups a second",
    "rss_mb": "memory, MB",
    "to_ai_ms.p50": "caller to AI, ms, median",
    "to_ai_ms.p99": "caller to AI, ms, 99 %",
    "to_caller_ms.p50": "AI to caller, ms, median",
    "to_caller_ms.p99": "AI to caller, ms, 99 %",
    "echo_ms.p50": "echo, ms, median",
    "echo_ms.p99": "echo, ms, 99 %",
    "pacing_ms.p50": "off the 20 ms, ms, median",
    "pacing_ms.p99": "off the 20 ms, ms, 99 %",
    "heard": "frames heard by the AI, a packet",
    "lost_to_caller": "packets lost to the caller",
    "marks_lost": "marks lost",
    "generator_late_ms.p99": "generator late, ms, 99 %",
    "other_cores": "other programs, cores",
}
"""What of a run is shown and compared, and what it is called."""


def figure(run: Run, name: str) -> float | None:
    """One of `FIGURES` of a run."""
    first, _, part = name.partition(".")
    value: float | Spread | None = getattr(run, first)
    return getattr(value, part) if isinstance(value, Spread) else value


@dataclass(slots=True)
class Point:
    """All runs with one number of calls."""

    calls: int
    runs: list[Run] = field(default_factory=list)

    @property
    def counting(self) -> Sequence[Run]:
        """The runs the figures are taken from: the valid ones where there are some."""
        valid = [run for run in self.runs if not run.invalid]
        return valid or self.runs

    def values(self, name: str) -> list[float]:
        """One figure of the runs that count."""
        return [value for run in self.counting if (value := figure(run, name)) is not None]

    def median(self, name: str) -> float | None:
        """The middle one."""
        values = self.values(name)
        return median(values) if values else None


@dataclass(slots=True)
class Series:
    """One invocation of the benchmark."""

    about: dict[str, Any]
    """Machine, version, command, time."""
    points: list[Point] = field(default_factory=list)

    @property
    def rss_mb_per_call(self) -> float | None:
        """Growth of the memory from the fewest to the most calls, for each."""
        if len(self.points) < 2:
            return None
        fewest, *_, most = sorted(self.points, key=lambda point: point.calls)
        before, after = fewest.median("rss_mb"), most.median("rss_mb")
        if before is None or after is None or fewest.calls == most.calls:
            return None
        return (after - before) / (most.calls - fewest.calls)

    def as_json(self) -> dict[str, Any]:
        """For a file; `from_json` reads it back."""
        return {
            "about": self.about,
            "rss_mb_per_call": self.rss_mb_per_call,
            "points": [
                {
                    "calls": point.calls,
                    "median": {name: point.median(name) for name in FIGURES},
                    "runs": [asdict(run) for run in point.runs],
                }
                for point in self.points
            ],
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Series":
        """What `as_json` wrote.

        Raises:
            KeyError, TypeError: it is something else.
        """
        points = [Point(one["calls"], [_run(run) for run in one["runs"]]) for one in plain["points"]]
        return cls(plain["about"], points)


def _run(plain: dict[str, Any]) -> Run:
    spreads = {key: Spread(**value) for key, value in plain.items() if key.endswith("_ms") and isinstance(value, dict)}
    return Run(**{**plain, **spreads})
