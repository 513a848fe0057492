"""What webhooks count, and how Prometheus gets to see it. Written by their thread, read by whoever scrapes."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from sipgw.ops.webhooks.outbox import Waiting


class Tally(Collector):
    """The counters of all endpoints."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        """By endpoint."""
        self.failures: Counter[tuple[str, str]] = Counter()
        """Attempts, by endpoint and reason."""
        self.dropped: Counter[tuple[str, str]] = Counter()
        """Deliveries that are no longer tried, by endpoint and reason."""
        self.waiting: tuple[Waiting, ...] = ()
        """What is on disk, as of a few seconds ago."""
        self.now = 0.0
        """Unix time of `waiting`."""

    def collect(self) -> Iterator[Metric]:
        """All of it, as it stands."""
        delivered = CounterMetricFamily("sipgw_webhook_delivered", "Webhooks delivered.", labels=("endpoint",))
        for endpoint, count in tuple(self.delivered.items()):
            delivered.add_metric((endpoint,), count)
        yield delivered
        failures = CounterMetricFamily(
            "sipgw_webhook_failures", "Attempts to deliver that failed.", labels=("endpoint", "reason")
        )
        for labels, count in tuple(self.failures.items()):
            failures.add_metric(labels, count)
        yield failures
        dropped = CounterMetricFamily(
            "sipgw_webhook_dropped", "Webhooks that are no longer tried.", labels=("endpoint", "reason")
        )
        for labels, count in tuple(self.dropped.items()):
            dropped.add_metric(labels, count)
        yield dropped
        pending = GaugeMetricFamily("sipgw_webhook_pending", "Webhooks not yet delivered.", labels=("endpoint",))
        oldest = GaugeMetricFamily(
            "sipgw_webhook_oldest_seconds", "Age of the oldest webhook not yet delivered.", labels=("endpoint",)
        )
        for one in self.waiting:
            pending.add_metric((one.endpoint,), one.pending)
            oldest.add_metric((one.endpoint,), 0.0 if one.oldest is None else max(self.now - one.oldest, 0.0))
        yield from (pending, oldest)
