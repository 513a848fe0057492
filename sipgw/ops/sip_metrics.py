"""What Prometheus sees of our registrations."""

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class RegistrationCollector(Collector):
    """Reads, when somebody asks, which trunks we are registered with.

    Args:
        up: by trunk.
    """

    def __init__(self, up: Mapping[str, bool]) -> None:
        self._up = up

    def collect(self) -> Iterator[Metric]:
        """One gauge a trunk that we register with."""
        family = GaugeMetricFamily("sipgw_registered", "Whether we are registered with a trunk.", labels=("trunk",))
        for trunk, up in self._up.items():
            family.add_metric((trunk,), up)
        yield family
