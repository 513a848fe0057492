"""What is to be measured."""

from dataclasses import dataclass, field

from sipgw.errors import UsageError


@dataclass(frozen=True, slots=True)
class SipPlan:
    """One gateway and one SIPp, watched in several windows."""

    rate: int = 100
    """Calls offered a second."""
    hold_ms: int = 200
    """How long a call is up."""
    warm_up: float = 36.0
    """Before the first window: until transactions of the first calls end as fast as others begin (64 * T1 = 32 s)."""
    seconds: float = 10.0
    """Of each window."""
    windows: int = 5
    workers: int = 1
    settings: dict[str, object] = field(default_factory=dict)
    """Further keys of the gateway's configuration; they replace ours."""

    def __post_init__(self) -> None:
        if self.rate < 1 or self.seconds < 1 or self.windows < 1:
            raise UsageError("a call a second and a window of a second are the least")

    @property
    def calls(self) -> int:
        """All there will be."""
        return int(self.rate * (self.warm_up + self.seconds * self.windows))
