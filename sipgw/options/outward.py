"""Places outside that we post to over HTTP, as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """One place."""

    name: str
    url: str = field(repr=False)
    """May hold a secret of its own, as the links of many services do."""
    secrets: tuple[str, ...] = field(repr=False)
    """What signs; more than one while the secret is being replaced."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 10.0
    """For a whole request and its answer."""
    connections: int = 4
    """At a time."""
    inside: tuple[str, ...] = ()
    """Networks of the inside that it may be in."""
    ca_file: str = ""
    """Certificate authorities (PEM) to trust besides the system's."""


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """One endpoint that hears what happens."""

    place: PlaceOptions
    events: frozenset[str]
    """Public names of the kinds it hears."""
    give_up_after: float = 86_400.0
    """How long a delivery is tried."""
    most_pending: int = 10_000
    """Deliveries kept for it; more are dropped and counted."""
