"""Services that are asked where calls go."""

from dataclasses import dataclass

from sipgw.options.outward import PlaceOptions


@dataclass(frozen=True, slots=True)
class Ask:
    """A route's target that is found out by asking."""

    hook: str
    """Whom, by name."""

    def __str__(self) -> str:
        return f"ask:{self.hook}"


@dataclass(frozen=True, slots=True)
class HookOptions:
    """One service that is asked."""

    place: PlaceOptions
    cache_by: tuple[str, ...] = ("called", "caller")
    """What must be the same for an answer to be good for another call: `called`, `caller`, `trunk`."""
    cache_for: float = 0.0
    """How long an answer is used without asking again."""
    stale_for: float = 3600.0
    """How old an answer may be that is used because the service does not give one."""
