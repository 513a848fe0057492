"""The media engine's own counters, read when somebody scrapes: counting them costs its ticks nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
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


class Counted(Protocol):
    """What one worker counts."""

    @property
    def lateness(self) -> Lateness:
        """Of its ticks."""

    @property
    def failures(self) -> Mapping[str, int]:
        """Failed system calls on RTP sockets, by direction and error."""

    @property
    def sessions(self) -> int:
        """How many it has."""


Workers = Callable[[], Mapping[str, Counted]]
"""Those there are now, by the number of their place, which a replaced one's successor has as well."""


class MediaCollector(Collector):
    """Shows what the workers have counted."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """All of it, as it stands."""
        sessions = GaugeMetricFamily("sipgw_media_sessions", "Media sessions, by worker.", labels=("worker",))
        missed = CounterMetricFamily(
            "sipgw_late_ticks", "Media ticks that came too late to be served, by worker.", labels=("worker",)
        )
        late = HistogramMetricFamily(
            "sipgw_tick_lateness_seconds", "How late media ticks were served, by worker.", labels=("worker",)
        )
        errors = CounterMetricFamily(
            "sipgw_rtp_errors",
            "Failed system calls on RTP sockets, by worker, direction and error.",
            labels=("worker", "error"),
        )
        for place, worker in self._workers().items():
            sessions.add_metric((place,), worker.sessions)
            missed.add_metric((place,), worker.lateness.missed)
            late.add_metric((place,), _buckets(worker.lateness), worker.lateness.sum_ms / 1000)
            for name, count in worker.failures.items():
                errors.add_metric((place, name), count)
        yield from (sessions, missed, late, errors)


class LagCollector(Collector):
    """Shows how late control's loop serves what is due.

    Args:
        lag: counted by whoever looks at the clock.
    """

    def __init__(self, lag: Lateness) -> None:
        self._lag = lag

    def collect(self) -> Iterator[Metric]:
        """It, as it stands."""
        yield HistogramMetricFamily(
            "sipgw_loop_lag_seconds",
            "How long a SIP message waits for the main loop.",
            buckets=_buckets(self._lag),
            sum_value=self._lag.sum_ms / 1000,
        )


def _buckets(late: Lateness) -> list[tuple[str, float]]:
    bounds = [*(str(bound / 1000) for bound in late.bounds_ms), "+Inf"]
    return list(zip(bounds, accumulate(late.buckets), strict=True))
