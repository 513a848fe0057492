"""A call written down, so that another process goes on with it: typed plain data and nothing else.

Times are Unix times, for the clock of the core counts from the machine's start. Of what is secret only SRTP's keys
are in here, which nobody else is to read; backends are named, and taken from the configuration again. Only answered
calls are written down.
"""

from dataclasses import dataclass

from sipgw.call.cdr import Noted
from sipgw.call.invitation import Invitation
from sipgw.options import Ask, RouteOptions
from sipgw.sdp.audio import AudioStream, Direction, LocalAudio

VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptHoldings:
    """Of `Holdings`."""

    leg: str
    attempt: int
    conversing: bool
    muted: bool
    prompt: str
    plays: int
    ports: str
    media: str
    timers: dict[str, float]
    """When each that runs is due."""
    recordings: int
    recorded: bool
    ordered: int
    serial: int


@dataclass(frozen=True, slots=True)
class KeptNegotiation:
    """Of `Negotiation`, once the INVITE is answered."""

    local: LocalAudio
    ours: bytes | None
    """Our offer that waits for its answer."""
    offered: Direction
    agreed: bytes | None
    """Our description in force; None where nothing is agreed yet."""
    stream: AudioStream | None
    line: int
    body: bytes
    source: str = ""
    """Where the far end's SIP came from."""


@dataclass(frozen=True, slots=True)
class KeptReoffer:
    """Of `Reoffer`."""

    tries: int
    wanted: Direction | None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class KeptSteering:
    """Of `Steering`."""

    negotiation: KeptNegotiation
    reoffer: KeptReoffer
    music: str | None
    on_hold: bool
    far_hold: bool


@dataclass(frozen=True, slots=True)
class KeptRecorder:
    """Of `Recorder`."""

    began: float
    paused: bool
    announced: bool | None


@dataclass(frozen=True, slots=True)
class KeptTargets:
    """Of `Targets`. What a hook said of headers and settings is left out: there may be secrets among them."""

    left: tuple[str | Ask, ...]
    """Those not tried yet, as a route names them."""
    timeout: float
    variables: dict[str, str]
    instructions: str


@dataclass(frozen=True, slots=True)
class KeptDeeds:
    """Of `Deeds`."""

    steering: KeptSteering
    invitation: Invitation
    route: RouteOptions
    targets: KeptTargets
    recorder: KeptRecorder
    heard: bool
    acknowledged: bool
    sorry: bool
    reminded: float | None = None


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """Of `Call`."""

    version: int
    call: str
    leg: str
    """The SIP agent's name for the caller's leg."""
    session: str
    """The media plane's name for its stream."""
    state: str
    cause: str
    """Why it ends, where it does."""
    noted: Noted
    held: KeptHoldings
    deeds: KeptDeeds

    @property
    def port(self) -> int:
        """Our RTP port."""
        return self.deeds.steering.negotiation.local.port
