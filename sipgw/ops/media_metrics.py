"""The media engine's own counters, read when somebody scrapes: counting them costs its ticks nothing."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class Lateness(Protocol):
    """How late the engine's ticks were served, as a histogram."""

    @property
    def bounds_ms(self) -> Sequence[float]:
        """Upper bounds of the buckets."""

    @property
    def buckets(self) -> Sequence[int]:
        """Ticks up to each bound, not counted before, and one more for the rest."""

    @property
    def missed(self) -> int:
        """Ticks that were so late that the next one took their place."""

    @property
    def sum_ms(self) -> float:
        """Lateness of all ticks together."""


class MediaCollector(Collector):
    """Shows what the engine has counted.

    Args:
        lateness: of its ticks.
        failures: failed system calls on RTP sockets, by direction and error.
    """

    def __init__(self, lateness: Lateness, failures: Mapping[str, int]) -> None:
        self._lateness, self._failures = lateness, failures

    def collect(self) -> Iterator[Metric]:
        """All of it, as it stands."""
        late = self._lateness
        yield CounterMetricFamily("sipgw_late_ticks", "Media ticks that came too late to be served.", late.missed)
        counts = accumulate(late.buckets)
        bounds = [*(str(bound / 1000) for bound in late.bounds_ms), "+Inf"]
        yield HistogramMetricFamily(
            "sipgw_tick_lateness_seconds",
            "How late media ticks were served.",
            buckets=list(zip(bounds, counts, strict=True)),
            sum_value=late.sum_ms / 1000,
        )
        errors = CounterMetricFamily(
            "sipgw_rtp_errors", "Failed system calls on RTP sockets, by direction and error.", labels=("error",)
        )
        for name, count in self._failures.items():
            errors.add_metric((name,), count)
        yield errors
