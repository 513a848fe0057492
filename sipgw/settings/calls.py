"""The keys of `calls` and of each route."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field

from sipgw.options import Ask, RouteOptions
from sipgw.options.phone import PREFIX
from sipgw.settings.section import Seconds, Section, Wait

Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]

HeaderPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9!%+_.~`'-]+\*?$")]


class Calls(Section):
    """Limits and patience."""

    max_calls: Count = 0
    """Calls at a time; 0: as many as there are ports. More get 503 with Retry-After."""
    calls_per_second: Rate = 0.0
    """New calls a second, in all; 0: no limit. A second's worth may come at once. More get 503 with Retry-After."""
    source_max_calls: Count = 0
    """Calls at a time from one address; 0: no limit. More get 503 with Retry-After."""
    source_calls_per_second: Rate = 0.0
    """New calls a second from one address; 0: no limit. More get 503 with Retry-After."""
    max_lag_ms: Wait = 200.0
    """Milliseconds the main loop may lag behind for 3 seconds on end before new calls get 503; 0: however long."""
    max_late_ms: Wait = 10.0
    """Milliseconds packets may be late, on average, for 3 seconds on end before new calls get 503; 0: however long."""
    first_rtp_wait: Wait = 0.3
    """Seconds after the ACK to wait for the caller's first packet before the AI may begin to speak."""
    farewell_limit: Wait = 10.0
    """Seconds a hang-up by the AI waits for its last words to be played."""
    drain_limit: Wait = 300.0
    """Seconds running calls may go on after SIGTERM."""
    hold_music: str = "hold"
    """Prompt that repeats while we have a caller on hold; empty: silence."""
    pass_headers: tuple[HeaderPattern, ...] = ("X-*", "User-to-User")
    """Headers of the INVITE that backends, hooks and records get: names, or what they begin with and `*`."""
    max_headers: Count = 32
    """Headers of one call that they get at most."""
    max_header_bytes: Count = 8192
    """Bytes that these have at most, names and values."""
    retry_after: Count = 30
    """Seconds callers are told to wait when they are refused because we are full or stopping."""


class Asked(Section):
    """A target that is found out by asking."""

    ask: str
    """The hook to ask, by its name in `hooks`."""


class Route(Section):
    """Which calls go where. The first route that fits takes the call."""

    number: str = "*"
    """The called number or name: exact, a prefix such as `+49*`, or `*` for any."""
    targets: tuple[str | Asked, ...]
    """Backends, or `ask: NAME` for a hook, tried in this order."""
    callers: tuple[str, ...] = ()
    """Only calls of these numbers or names, each exact or a prefix such as `+4930*`; what callers wish to withhold from
    others counts here all the same."""
    attestation: tuple[Literal["A", "B", "C", "failed", "unknown"], ...] = ()
    """Only calls of whose callers the carrier is so sure."""
    anyone: bool = False
    """Take calls from any address. Only where nobody else can reach us."""
    sources: tuple[str, ...] = ()
    """Addresses or ranges that may call, such as `203.0.113.0/24`."""
    trunks: tuple[str, ...] = ()
    """Trunks whose calls may use this route."""
    phones: tuple[str, ...] = ()
    """Registered phones whose calls may use this route, by their names in `phones`; `*` for all of them."""
    target_timeout: Seconds = 5.0
    """Seconds a target may take to get ready before the next is tried."""
    ring: bool = True
    """Ring (180) while a target gets ready."""
    record: Literal["always", "never", "on_demand"] = "never"
    """Whether calls are recorded; `on_demand`: when a command says so."""
    consent: str = ""
    """Prompt the caller hears before the AI speaks, where the call is recorded or may be; who does not hear it to its
    end is not recorded."""
    consent_recorded: bool = False
    """Record from the answer on, that prompt too; otherwise from its end on."""
    backend_pauses: bool = True
    """Backends may pause and resume the recording, around a card's digits say."""
    early_media: bool = False
    """Before the answer the caller hears us (183) in place of ringing: `early_prompt`, then the AI; else silence."""
    early_prompt: str = ""
    """Prompt that is played to its end before the answer; empty: none."""
    early_seconds: Wait = 0.0
    """Seconds the AI may speak, without hearing, before the answer; 0: the answer comes as soon as it is ready."""
    last_resort: str = "apology"
    """When no target works: `apology` answers and says so, a SIP code such as `503` refuses."""
    max_duration: Seconds = 14_400.0
    """Seconds after which a call is ended."""
    max_ringing: Seconds = 60.0
    """Seconds a caller may wait for the answer; then the call gets 480."""
    silence_limit: Wait = 0.0
    """Seconds neither caller nor AI may speak before a reminder, and after it before the end; 0: however long."""
    silence_say: str = ""
    """The reminder, in words for the AI to say; empty: `silence_prompt` is played."""
    silence_prompt: str = "still-there"
    """The reminder as a prompt; empty: there is none."""
    max_calls: Count = 0
    """Calls at a time; 0: no limit. More get 486: the route is busy."""
    calls_per_second: Rate = 0.0
    """New calls a second; 0: no limit. A second's worth may come at once. More get 486."""

    def options(self, phones: Collection[str] = ()) -> RouteOptions:
        """As the call core sees it; `phones` are the names of all there are."""
        targets = tuple(Ask(target.ask) if isinstance(target, Asked) else target for target in self.targets)
        own = tuple(f"{PREFIX}{name}" for name in (phones if "*" in self.phones else self.phones))
        kept = self.model_dump(exclude={"targets", "trunks", "phones"})
        return RouteOptions(targets=targets, trunks=(*self.trunks, *own), **kept)
