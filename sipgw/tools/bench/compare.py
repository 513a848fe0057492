"""Compares two series: ratios, each with the band that the runs' own scatter makes of it."""

from dataclasses import dataclass
from enum import Enum

from sipgw.tools.bench.result import Point, Series

COMPARED = (
    "to_floor",
    "cpu_ms",
    "rss_mb",
    "to_ai_ms.p50",
    "to_caller_ms.p50",
    "echo_ms.p50",
    "echo_ms.p99",
    "pacing_ms.p99",
)
"""Less is better in all of them."""
_LEAST_BAND = 0.03
"""Runs may agree by luck; no band is narrower than this."""


class Verdict(Enum):
    """What a ratio says."""

    BETTER = "better"
    SAME = "no difference"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one number of calls, now and before."""

    calls: int
    name: str
    before: float
    now: float
    band: float
    """How far from 1 the ratio may be by scatter alone."""

    @property
    def ratio(self) -> float:
        """Now over before."""
        return self.now / self.before

    @property
    def verdict(self) -> Verdict:
        """Whether it is outside the band."""
        if abs(self.ratio - 1) <= self.band:
            return Verdict.SAME
        return Verdict.BETTER if self.ratio < 1 else Verdict.WORSE


def compare(now: Series, before: Series) -> list[Difference]:
    """Every figure that both have, by number of calls."""
    earlier = {point.calls: point for point in before.points}
    pairs = [(point, earlier[point.calls]) for point in now.points if point.calls in earlier]
    found = (_difference(point, other, name) for point, other in pairs for name in COMPARED)
    return [difference for difference in found if difference is not None]


def _difference(now: Point, before: Point, name: str) -> Difference | None:
    middle, other = now.median(name), before.median(name)
    if not middle or not other:
        return None
    band = max(_scatter(now, name) + _scatter(before, name), _LEAST_BAND)
    return Difference(now.calls, name, other, middle, band)


def _scatter(point: Point, name: str) -> float:
    """Half the range of the runs, as part of their median."""
    values, middle = point.values(name), point.median(name)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0
