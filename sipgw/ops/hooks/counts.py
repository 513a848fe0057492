"""What is counted of routing hooks."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Counts:
    """The counters of all hooks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "sipgw_hook_answers", "Questions to routing hooks, by what came of them.", ("hook", "outcome"),
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "sipgw_hook_seconds", "How long routing hooks took to answer.", ("hook",), buckets=_BUCKETS,
            registry=registry,
        )  # fmt: skip

    def outcome(self, hook: str, name: str) -> None:
        """A question is over: `answered`, `given_up` because its call ended, or the name of a failure."""
        self._outcomes.labels(hook, name).inc()

    def took(self, hook: str, seconds: float) -> None:
        """An answer came after so long."""
        self._seconds.labels(hook).observe(seconds)
