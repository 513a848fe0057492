"""The keys of `calls` and of each route."""

from typing import Annotated

from pydantic import Field

from sipgw.settings.section import Seconds, Section, Wait


class Calls(Section):
    """Limits and patience."""

    max_calls: Annotated[int, Field(ge=0)] = 0
    """Calls at a time; 0: as many as there are ports. More get 503 with Retry-After."""
    first_rtp_wait: Wait = 0.3
    """Seconds after the ACK to wait for the caller's first packet before the AI may begin to speak."""
    farewell_limit: Wait = 10.0
    """Seconds a hang-up by the AI waits for its last words to be played."""
    drain_limit: Wait = 300.0
    """Seconds running calls may go on after SIGTERM."""
    hold_music: str = "hold"
    """Prompt that repeats while we have a caller on hold; empty: silence."""
    retry_after: Annotated[int, Field(ge=0)] = 30
    """Seconds callers are told to wait when they are refused because we are full or stopping."""


class Route(Section):
    """Which calls go where. The first route that fits takes the call."""

    number: str = "*"
    """The called number or name: exact, a prefix such as `+49*`, or `*` for any."""
    targets: tuple[str, ...]
    """Backends, tried in this order."""
    anyone: bool = False
    """Take calls from any address. Only where nobody else can reach us."""
    sources: tuple[str, ...] = ()
    """Addresses or ranges that may call, such as `203.0.113.0/24`."""
    trunks: tuple[str, ...] = ()
    """Trunks whose calls may use this route."""
    target_timeout: Seconds = 5.0
    """Seconds a target may take to get ready before the next is tried."""
    ring: bool = True
    """Ring (180) while a target gets ready."""
    last_resort: str = "apology"
    """When no target works: `apology` answers and says so, a SIP code such as `503` refuses."""
    max_duration: Seconds = 14_400.0
    """Seconds after which a call is ended."""
