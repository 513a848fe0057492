"""The media workers' counters as a scraper sees them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from sipgw.ops.metrics import Metrics
from sipgw.worker.tick import LATENESS_MS, Lateness


@dataclass
class Worker:
    """What one counts."""

    lateness: Lateness = field(default_factory=Lateness)
    failures: Mapping[str, int] = field(default_factory=Counter)
    sessions: int = 0


def test_what_a_worker_counts_is_read_when_somebody_asks() -> None:
    metrics, worker = Metrics(), Worker()
    metrics.watch_media(lambda: {"0": worker})

    def sample(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, {"worker": "0", **labels})

    assert sample("sipgw_late_ticks_total") == 0
    # Three ticks in time, one that cost two others, one that was too late for any bucket.
    for late_ms, missed in ((0.1, 0), (0.1, 0), (0.2, 0), (12.0, 2), (500.0, 99)):
        worker.lateness.add(late_ms, missed)
    worker.failures = {"send_ENETUNREACH": 3}
    worker.sessions = 7
    assert sample("sipgw_late_ticks_total") == 101
    assert sample("sipgw_tick_lateness_seconds_bucket", le="0.00025") == 3
    assert sample("sipgw_tick_lateness_seconds_bucket", le="0.02") == 4
    assert sample("sipgw_tick_lateness_seconds_bucket", le=str(LATENESS_MS[-1] / 1000)) == 4
    assert sample("sipgw_tick_lateness_seconds_bucket", le="+Inf") == 5
    assert sample("sipgw_tick_lateness_seconds_count") == 5
    assert sample("sipgw_tick_lateness_seconds_sum") == pytest.approx((0.4 + 12.0 + 500.0) / 1000)
    assert sample("sipgw_rtp_errors_total", error="send_ENETUNREACH") == 3
    assert sample("sipgw_media_sessions") == 7
    assert b"sipgw_tick_lateness_seconds_bucket" in metrics.render()


def test_each_worker_is_told_apart_and_one_that_is_gone_is_no_longer_shown() -> None:
    metrics, there = Metrics(), {"0": Worker(sessions=1), "1": Worker(sessions=2)}
    metrics.watch_media(lambda: there)
    assert metrics.registry.get_sample_value("sipgw_media_sessions", {"worker": "1"}) == 2
    del there["1"]
    assert metrics.registry.get_sample_value("sipgw_media_sessions", {"worker": "1"}) is None


def test_alarms_and_drops_elsewhere_are_counted_by_name() -> None:
    metrics = Metrics()
    metrics.alarm("worker_died")
    metrics.dropped("media", "stranger", 12)
    assert b'sipgw_drops_total{layer="media",reason="stranger"} 12.0' in metrics.render()
    assert metrics.registry.get_sample_value("sipgw_alarms_total", {"name": "worker_died"}) == 1


def test_how_late_the_loop_is_is_a_histogram_too() -> None:
    metrics, lag = Metrics(), Lateness(bounds_ms=(1.0, 500.0))
    metrics.watch_loop(lag)
    for late_ms in (0.2, 30.0, 700.0):
        lag.add(late_ms, 0)
    sample = metrics.registry.get_sample_value
    buckets = {bound: sample("sipgw_loop_lag_seconds_bucket", {"le": bound}) for bound in ("0.001", "0.5", "+Inf")}
    assert buckets == {"0.001": 1, "0.5": 2, "+Inf": 3}
    assert sample("sipgw_loop_lag_seconds_sum") == pytest.approx(0.7302)
