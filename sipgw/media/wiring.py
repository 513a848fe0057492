"""Where a session's results go: what its engine gives it at birth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sipgw.flow import Endpoint
from sipgw.media import plane
from sipgw.trace import Trace

if TYPE_CHECKING:
    from sipgw.media.session import Session


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where a session's results go."""

    emit: Callable[[plane.Event], None]
    ready: Callable[["Session"], None]
    """Called when the first piece of audio since the last decoding is there."""
    latched: Callable[[int, Endpoint, float], None]
    due: Callable[[float], None]
    """Called when `handle_timers` is wanted earlier than before."""
    keep: Callable[["Session"], None]
    """Called when there is something new to write down."""
    trace: Trace
