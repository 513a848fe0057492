"""The media engine's counters as a scraper sees them."""

from collections import Counter

from sipgw.ops.metrics import Metrics
from sipgw.worker.tick import LATENESS_MS, Lateness


def test_what_the_engine_counts_is_read_when_somebody_asks() -> None:
    metrics, lateness, failures = Metrics(), Lateness(), Counter[str]()
    metrics.watch_media(lateness, failures)
    sample = metrics.registry.get_sample_value
    assert sample("sipgw_late_ticks_total") == 0
    # Three ticks in time, one that cost two others, one that was too late for any bucket.
    for late_ms, missed in ((0.1, 0), (0.1, 0), (0.2, 0), (12.0, 2), (500.0, 99)):
        lateness.add(late_ms, missed)
    failures["send_ENETUNREACH"] += 3
    assert sample("sipgw_late_ticks_total") == 101
    assert sample("sipgw_tick_lateness_seconds_bucket", {"le": "0.00025"}) == 3
    assert sample("sipgw_tick_lateness_seconds_bucket", {"le": "0.02"}) == 4
    assert sample("sipgw_tick_lateness_seconds_bucket", {"le": str(LATENESS_MS[-1] / 1000)}) == 4
    assert sample("sipgw_tick_lateness_seconds_bucket", {"le": "+Inf"}) == 5
    assert sample("sipgw_tick_lateness_seconds_count") == 5
    assert sample("sipgw_tick_lateness_seconds_sum") == (0.4 + 12.0 + 500.0) / 1000
    assert sample("sipgw_rtp_errors_total", {"error": "send_ENETUNREACH"}) == 3
    assert b"sipgw_tick_lateness_seconds_bucket" in metrics.render()
