"""What all calls share, and what an action gets to see of one moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any, NamedTuple

from sipgw.call.advice import Memory
from sipgw.call.destinations import Destinations
from sipgw.call.feed import Happening, Kind, Publish, Value, unheard
from sipgw.call.limits import Limits
from sipgw.call.routing import Routes
from sipgw.call.states import Seen
from sipgw.options import CallOptions, MediaOptions
from sipgw.sdp.crypto import RandomBytes
from sipgw.trace import Mark, Note, Trace


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls share."""

    options: CallOptions
    media: MediaOptions
    routes: Routes
    limits: Limits
    trace: Trace
    wall: Callable[[float], float]
    """Turns the core's `now` into Unix time."""
    publish: Publish = unheard
    memory: Memory = field(default_factory=Memory)
    """What hooks said."""
    destinations: Destinations | None = None
    """Where RTP may go; where None, by the rule of `media` alone."""
    random: RandomBytes = token_bytes
    """Makes keys for SRTP."""

    def happened(self, kind: Kind, call: str, now: float, /, **data: Value) -> None:
        """Tell whoever watches from outside."""
        self.publish(Happening(kind, call, self.wall(now), data))

    def drop(self, call: str, name: str, detail: str, now: float) -> None:
        """Trace that something was not acted upon, or refused."""
        self.trace(Note(now, "call", Mark.DROP, name, call, detail))

    def entered(self, call: str, state: str, detail: str, now: float) -> None:
        """Trace a change of state."""
        self.trace(Note(now, "call", Mark.STATE, state, call, detail))


class Moment(NamedTuple):
    """What an action gets to see."""

    seen: Seen
    event: Any
    """What came from outside; for what an action saw itself, what made that action run."""
    now: float
