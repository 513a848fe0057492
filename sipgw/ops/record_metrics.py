"""What became of call records, read when somebody scrapes."""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class RecordCounts(Protocol):
    """The keeper's counters."""

    @property
    def written(self) -> int:
        """In the database."""

    @property
    def failed(self) -> int:
        """That no database took."""

    @property
    def pending(self) -> int:
        """In the journal, waiting for the database."""

    @property
    def down(self) -> bool:
        """The database takes none now."""


class RecordCollector(Collector):
    """Shows what the keeper has counted."""

    def __init__(self, counts: RecordCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of it, as it stands."""
        counts = self._counts
        results = CounterMetricFamily("sipgw_records", "Call records, by what became of them.", labels=("result",))
        results.add_metric(("written",), counts.written)
        results.add_metric(("failed",), counts.failed)
        yield results
        yield GaugeMetricFamily(
            "sipgw_records_pending", "Call records in the journal that wait for the database.", counts.pending
        )
        yield GaugeMetricFamily("sipgw_records_database_up", "Whether the database takes records.", not counts.down)
