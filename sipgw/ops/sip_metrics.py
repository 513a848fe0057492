"""What Prometheus sees of registrations: ours, and those of phones with us."""

from collections.abc import Callable, Iterator, Mapping

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


class PhoneCollector(Collector):
    """Counts, when somebody asks, at how many places each phone is registered.

    Args:
        counts: says it by phone.
    """

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """One gauge a phone of the configuration."""
        family = GaugeMetricFamily(
            "sipgw_phone_contacts", "Places where a phone is registered; 0: it is not.", labels=("phone",)
        )
        for phone, count in self._counts().items():
            family.add_metric((phone,), count)
        yield family
