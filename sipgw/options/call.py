"""What the call core gets to see of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipgw.options.backend import BackendOptions
from sipgw.options.hook import Ask, HookOptions
from sipgw.options.media import SrtpPolicy


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """One route: which called numbers, which backends in order."""

    number: str = "*"
    """The called number: exact, a prefix ending in `*`, or `*` for any."""
    targets: tuple[str | Ask, ...] = ()
    """Names of backends, or whom to ask for one; tried in order."""
    anyone: bool = False
    """Serve callers from any source address; otherwise only `sources`."""
    sources: tuple[str, ...] = ()
    """Addresses or CIDR ranges that may use this route."""
    trunks: tuple[str, ...] = ()
    """Names of trunks whose calls may use this route, and addresses of phones."""
    callers: tuple[str, ...] = ()
    """Whose calls, by numbers as above, whether they wish to be known or not; empty: all."""
    attestation: tuple[str, ...] = ()
    """How sure their carrier has to be of them, each level by its name; empty: however sure."""
    target_timeout: float = 5.0
    """How long one target may take to become ready before the next is tried."""
    ring: bool = True
    """Send 180 while a target gets ready."""
    early_media: bool = False
    """Before the answer the caller hears us (183) in place of ringing: `early_prompt`, then the AI; else silence."""
    early_prompt: str = ""
    """Prompt that is played to its end before the answer; empty: none."""
    early_seconds: float = 0.0
    """Seconds the AI may speak, without hearing, before the answer; 0: the answer comes as soon as it is ready."""
    last_resort: str = "apology"
    """When no target works: `apology` (answer, speak one, hang up) or a SIP status code as text, such as `503`."""
    max_duration: float = 14_400.0
    max_ringing: float = 60.0
    """How long an INVITE may stay without an answer."""
    silence_limit: float = 0.0
    """How long neither side may speak before the caller is reminded, and after that before the end; 0 is no limit."""
    silence_say: str = ""
    """What the AI is asked to say as a reminder; empty means `silence_prompt`."""
    silence_prompt: str = "still-there"
    """The prompt that reminds; empty: nothing does."""
    max_calls: int = 0
    """Concurrent calls of this route; 0 is no limit."""
    calls_per_second: float = 0.0
    """New calls of this route; 0 is no limit."""
    record: str = "never"
    """`always`, `never`, or `on_demand`: by a command."""
    consent: str = ""
    """Prompt that the caller hears before the conversation opens, where the call is recorded or may be."""
    consent_recorded: bool = False
    """The recording begins at the answer, with that prompt, and not after it."""
    backend_pauses: bool = True
    """Backends may pause and resume the recording."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The call core's view."""

    node: str = "n1"
    routes: tuple[RouteOptions, ...] = ()
    backends: tuple[BackendOptions, ...] = ()
    hooks: tuple[HookOptions, ...] = ()
    first_rtp_wait: float = 0.3
    """After the ACK: how long the conversation waits for first RTP before it starts anyway."""
    farewell_limit: float = 10.0
    """How long a hang-up wished by the AI waits for its last words to be played."""
    max_calls: int = 0
    """Concurrent calls; 0 means as many as there are ports."""
    calls_per_second: float = 0.0
    """New calls in all; 0 is no limit."""
    source_max_calls: int = 0
    """Concurrent calls from one address; 0 is no limit."""
    source_calls_per_second: float = 0.0
    """New calls from one address; 0 is no limit."""
    max_lag_ms: float = 200.0
    """How late control's loop may run, for seconds on end, before new calls are refused; 0: however late."""
    max_late_ms: float = 10.0
    """How late media ticks may be served on average, for seconds on end, before new calls are refused; 0: as above."""
    drain_limit: float = 300.0
    """How long running calls may go on after SIGTERM."""
    hold_music: str = "hold"
    """Prompt that repeats while we have a caller on hold; empty is silence."""
    transcript: str = "off"
    """What of a call's words its record keeps: `off`, `redacted` or `full`."""
    recording_name: str = "{date}/{call}"
    """Template of a recording's path (`call/naming.py`)."""
    pass_headers: tuple[str, ...] = ("X-*", "User-to-User")
    """Names, or what they begin with and `*`, of the INVITE's headers that backends, hooks and records get."""
    max_headers: int = 32
    """Of those."""
    max_header_bytes: int = 8192
    """Of all of those, names and values."""
    retry_after: int = 30
    """Seconds told to callers refused while draining or full."""
    srtp: SrtpPolicy = "optional"
    """Whether RTP is protected, where `trunk_srtp` does not say otherwise."""
    trunk_srtp: Mapping[str, SrtpPolicy] = field(default_factory=dict)
    """The same by the names of trunks and the addresses of phones."""

    def srtp_with(self, trunk: str) -> SrtpPolicy:
        """Whether RTP is protected in calls by a trunk; empty for somebody else."""
        return self.trunk_srtp.get(trunk, self.srtp)
