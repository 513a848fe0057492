"""What each layer gets to see of the settings: one frozen dataclass a layer, built by `settings`, read by nobody above.

Durations are in seconds unless the name carries a unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SipOptions:
    """The SIP agent's view."""

    host: str = "127.0.0.1"
    """Address the UDP listener binds."""
    port: int = 5060
    advertised: str = ""
    """Host put into Via and Contact; empty means `host`."""
    user_agent: str = "sipgw"
    node: str = "n1"
    """Names this node in the Call-IDs and tags it makes."""
    t1: float = 0.5
    """Round-trip estimate (RFC 3261 section 17.1.1.1)."""
    t2: float = 4.0
    """Longest interval between repeats of a non-INVITE request or a 2xx."""
    t4: float = 5.0
    """Longest a message stays in the network."""
    max_message_bytes: int = 65_535


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """The media plane's view."""

    host: str = "127.0.0.1"
    """Address RTP sockets bind."""
    advertised: str = ""
    """Address put into SDP; empty means `host`."""
    first_port: int = 20_000
    last_port: int = 29_999
    port_rest: float = 5.0
    """How long a port pair rests after use before another call may get it."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    """In order of preference, by their SDP encoding names."""
    ptime_ms: int = 20
    first_packet_timeout: float = 30.0
    """How long an answered call may wait for its first RTP packet."""
    inactivity_timeout: float = 30.0
    """How long RTP may stay away later; RTCP counts as a sign of life, hold suspends it."""
    reorder_wait_ms: int = 40
    """How long a missing packet is waited for before it is concealed."""
    fill_after_ms: int = 60
    """How long nothing may arrive before the AI's time line is filled at real-time pace."""
    relatch_after_ms: int = 500
    """How long the latched source must be silent before another may take its place."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """One AI backend as configured."""

    name: str
    dialect: str
    """`echo`, `demo`, `tone`, `sipgw` or `openai-realtime`."""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with the WebSocket handshake."""
    ca_file: str = ""
    """Certificate authorities (PEM) to trust with `wss`, besides the system's."""
    audio: str = "pcm16/24000"
    """Audio format on the AI's side: `pcm16/24000`, `pcm16/16000`, `pcm16/8000`, `pcmu/8000` or `pcma/8000`."""
    barge_in: str = "backend"
    """Whose word interrupts our playout: `backend`, `local` (our VAD), `both` or `off`."""
    live: bool = False
    """The backend's audio is paced in real time (an echo, a person): a standing queue is delay and gets trimmed."""
    connect_timeout: float = 5.0
    """For the socket to open and the session to be set up."""
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    reconnects: int = 0
    """How often a connection lost during the call is opened again."""
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What only this dialect understands (model, voice, instructions …)."""


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """One route: which called numbers, which backends in order."""

    number: str = "*"
    """The called number: exact, a prefix ending in `*`, or `*` for any."""
    targets: tuple[str, ...] = ()
    """Names of backends, tried in order."""
    anyone: bool = False
    """Serve callers from any source address; otherwise only `sources`."""
    sources: tuple[str, ...] = ()
    """Addresses or CIDR ranges that may use this route."""
    target_timeout: float = 5.0
    """How long one target may take to become ready before the next is tried."""
    ring: bool = True
    """Send 180 while a target gets ready."""
    last_resort: str = "apology"
    """When no target works: `apology` (answer, speak one, hang up) or a SIP status code as text, such as `503`."""
    max_duration: float = 14_400.0


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The call core's view."""

    node: str = "n1"
    routes: tuple[RouteOptions, ...] = ()
    backends: tuple[BackendOptions, ...] = ()
    first_rtp_wait: float = 0.3
    """After the ACK: how long the conversation waits for first RTP before it starts anyway."""
    farewell_limit: float = 10.0
    """How long a hang-up wished by the AI waits for its last words to be played."""
    max_calls: int = 0
    """Concurrent calls; 0 means as many as there are ports."""
    drain_limit: float = 300.0
    """How long running calls may go on after SIGTERM."""
    retry_after: int = 30
    """Seconds told to callers refused while draining or full."""
