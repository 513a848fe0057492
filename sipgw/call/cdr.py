"""The record of one call, and the draft it grows from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sipgw.ai.carried import NOTHING, Carried
from sipgw.ai.events import Spent
from sipgw.errors import Cause
from sipgw.media.plane import StreamStats
from sipgw.sip.reason import FarReason

_MOST_UTTERANCES = 5000
_LONGEST_UTTERANCE = 4000
"""Characters."""

Fields = Mapping[str, str | int | float | None]


HOOK = "hook"
"""In the place of a dialect: a service that was asked where the call goes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One target that was tried."""

    target: str
    when: float
    """Unix time at which it was tried."""
    dialect: str = ""
    """What is spoken with it, or `HOOK`; empty where nothing of that name is configured."""
    ready: float | None = None
    """Unix time at which it was; None where it never was."""
    ended: float | None = None
    """Unix time at which it failed, or the call ended."""
    failure: str = ""
    """The snake_case name of what went wrong with it, before it was ready or after."""
    number: int = 0
    """Its name in reports: counts the conversations of the call from 1; 0 where there was none."""
    connected_ms: int | None = None
    """What it took to open its socket; None where that never was, or nobody told."""
    heard_ms: int = 0
    """Of the caller's sound that it was sent."""
    said_ms: int = 0
    """Of its own sound that was taken to be played."""
    advice: str = ""
    """What a hook said, in short: `backend NAME`, `continue` or `reject CODE`."""
    remembered: str = ""
    """Where it said so for an earlier call: `cached` if it was not asked, `stale` if it did not answer."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words spoken, as the backend wrote them down."""

    when: float
    """Unix time at which they came."""
    who: str
    """`caller` or `agent`."""
    text: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A far end that took the caller's place (RFC 3891)."""

    when: float
    """Unix time at which it did."""
    caller: str
    source: str
    """The address its INVITE came from."""
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of a call's sound: the caller left, the agent right."""

    path: str
    """Where it is; empty where it could not even be begun."""
    started: float
    """Unix time of its first sample."""
    seconds: float = 0.0
    sha256: str = ""
    """Of the file, in hexadecimal; empty where it could not be finished."""
    paused: tuple[tuple[float, float], ...] = ()
    """What was left out on purpose, a card's digits say: from and to, in seconds of the recording."""
    lost_ms: int = 0
    """Left out because the disk was too slow."""
    failure: str = ""
    """Why it ended early, or never began."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What happened in one call. Times are Unix times; None means that it never came to that."""

    call: str
    node: str
    """The gateway that had the call."""
    sip_call_id: str
    caller: str
    """`anonymous` where the caller wishes it to be withheld, as the name."""
    caller_name: str
    called: str
    """As dialled."""
    source: str
    """The address the INVITE came from."""
    trunk: str
    """The trunk it came by; empty where it came by none."""
    route: str
    """The pattern of the route that took the call; empty where none did."""
    targets: tuple[Attempt, ...]
    started: float
    ringing: float | None
    answered: float | None
    ended: float
    cause: str
    """`Cause.record` of the end."""
    status: int
    """The final response to the INVITE."""
    q850: int
    hung_up_by: str
    """`caller`, `backend`, `gateway`, or `operator`: a command from outside."""
    reason: str
    """More than `cause` tells, where there is more."""
    codec: str
    digits: int
    """Keys the caller pressed."""
    stats: StreamStats | None
    turns_ms: tuple[int, ...]
    """Each turn's delay: from the end of the caller's speech to the first packet of the answer."""
    recordings: tuple[Recording, ...] = ()
    transcript: tuple[Utterance, ...] = ()
    far_status: int | None = None
    """Why the far end ended the call, by its own word (RFC 3326): the SIP status in its BYE or CANCEL."""
    far_q850: int | None = None
    """The same as a Q.850 cause."""
    far_text: str = ""
    """The same in words."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The INVITE's, as far as the configuration lets them through."""
    carried: Carried = NOTHING
    replacements: tuple[Replacement, ...] = ()
    """Who took the caller's place, one after the other."""
    srtp: str = ""
    """The suite by which RTP was protected at last (RFC 4568); empty where it was not."""

    @property
    def seconds(self) -> float:
        """From the answer to the end."""
        return 0.0 if self.answered is None else self.ended - self.answered

    @property
    def post_dial_seconds(self) -> float | None:
        """From the INVITE to the first sign of life: ringing, or the answer where nothing rang."""
        heard = self.answered if self.ringing is None else self.ringing
        return None if heard is None else heard - self.started

    @property
    def target(self) -> str:
        """The target that had the call last; empty where none was ready."""
        return last_ready(self.targets)

    def summary(self) -> Fields:
        """What the log's last line of a call says."""
        fields: dict[str, str | int | float | None] = {
            "call": self.call, "caller": self.caller, "called": self.called, "source": self.source,
            "trunk": self.trunk,
            "cause": self.cause, "reason": self.reason, "status": self.status, "hung_up_by": self.hung_up_by,
            "route": self.route, "target": self.target, "codec": self.codec, "srtp": self.srtp,
            "seconds": round(self.seconds, 3), "digits": self.digits, **self.carried.brief(),
            "far_status": self.far_status, "far_q850": self.far_q850, "far_text": self.far_text,
        }  # fmt: skip
        return fields | (_counters(self.stats) if self.stats else {})


def last_ready(targets: Sequence[Attempt]) -> str:
    """The target that had the call last; empty where none was ready."""
    return next((one.target for one in reversed(targets) if one.ready is not None), "")


def _counters(stats: StreamStats) -> dict[str, str | int | float | None]:
    return {
        "sent_packets": stats.sent_packets,
        "received_packets": stats.received_packets,
        "lost_packets": stats.lost_packets,
        "late_packets": stats.late_packets,
        "jitter_ms": round(stats.jitter_ms, 1),
        "concealed_ms": stats.concealed_ms,
        "round_trip_ms": stats.round_trip_ms,
        "mos": stats.mos,
        "far_lost_packets": stats.far_lost_packets,
        "far_mos": stats.far_mos,
        "first_audio_ms": stats.first_audio_ms,
        "drops": ", ".join(f"{count} {reason}" for reason, count in sorted(stats.drops.items())),
    }


@dataclass(slots=True)
class Noted:
    """What a record is made of, as far as it is known."""

    call: str
    started: float
    node: str = ""
    sip_call_id: str = ""
    caller: str = ""
    caller_name: str = ""
    called: str = ""
    source: str = ""
    trunk: str = ""
    route: str = ""
    targets: list[Attempt] = field(default_factory=list)
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    status: int = 0
    hung_up_by: str = "gateway"
    reason: str = ""
    codec: str = ""
    srtp: str = ""
    digits: int = 0
    stats: StreamStats | None = None
    turns_ms: list[int] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    transcript: list[Utterance] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    carried: Carried = NOTHING
    far: FarReason = field(default_factory=FarReason)
    """Why the far end ended the call, by its own word."""
    replacements: list[Replacement] = field(default_factory=list)

    def by(self, clock: Callable[[float], float]) -> "Noted":
        """The same, its times by another clock, which `clock` turns them into."""
        noted = Noted(self.call, self.started)
        noted.take(self)
        for name in ("started", "ringing", "answered", "ended"):
            when = getattr(self, name)
            setattr(noted, name, None if when is None else clock(when))
        return noted

    def take(self, other: "Noted") -> None:
        """Become as `other` is."""
        for name in Noted.__slots__:
            value = getattr(other, name)
            setattr(self, name, list(value) if isinstance(value, list) else value)


@dataclass(slots=True)
class Draft(Noted):
    """A record in the making. Times handed in are the core's `now`; `wall` turns them into Unix times."""

    wall: Callable[[float], float] = field(kw_only=True)
    cause: Cause = field(default=Cause.INTERNAL, kw_only=True)

    def tried(self, target: str, now: float, dialect: str = "", number: int = 0) -> None:
        """A target is being tried."""
        self.targets.append(Attempt(target, self.wall(now), dialect, number=number))

    def target_ready(self, now: float) -> None:
        """The target tried last is ready."""
        self.targets[-1] = replace(self.targets[-1], ready=self.wall(now))

    def target_failed(self, failure: str, now: float) -> None:
        """The target tried last failed."""
        self.targets[-1] = replace(self.targets[-1], failure=failure, ended=self.wall(now))

    def advised(self, advice: str, remembered: str, now: float) -> None:
        """The hook tried last says something, or is remembered to have said it."""
        self.targets[-1] = replace(self.targets[-1], advice=advice, remembered=remembered, ended=self.wall(now))

    def target_spent(self, number: int, spent: Spent) -> None:
        """The conversation of that number is over."""
        for index, one in enumerate(self.targets):
            if one.number == number:
                self.targets[index] = replace(
                    one, connected_ms=spent.connected_ms, heard_ms=spent.heard_ms, said_ms=spent.said_ms
                )

    def replaced(self, caller: str, source: str, sip_call_id: str, now: float) -> None:
        """A far end took the caller's place."""
        self.replacements.append(Replacement(self.wall(now), caller, source, sip_call_id))

    def spoken(self, who: str, text: str, now: float) -> None:
        """Words to keep; more than anybody says in a call are not kept."""
        if len(self.transcript) < _MOST_UTTERANCES:
            self.transcript.append(Utterance(self.wall(now), who, text[:_LONGEST_UTTERANCE]))

    def summary(self) -> Fields:
        """What the log's line of the answer says."""
        return {
            "call": self.call, "caller": self.caller, "called": self.called, "source": self.source,
            "trunk": self.trunk,
            "route": self.route, "target": last_ready(self.targets), "codec": self.codec, "srtp": self.srtp,
        }  # fmt: skip

    def finish(self, now: float) -> CallRecord:
        """The record; `now` is the end where none was noted."""
        wall, end = self.wall, now if self.ended is None else self.ended
        return CallRecord(
            call=self.call,
            node=self.node,
            sip_call_id=self.sip_call_id,
            caller=self.caller,
            caller_name=self.caller_name,
            called=self.called,
            source=self.source,
            trunk=self.trunk,
            route=self.route,
            targets=tuple(one if one.ended is not None else replace(one, ended=wall(end)) for one in self.targets),
            started=wall(self.started),
            ringing=None if self.ringing is None else wall(self.ringing),
            answered=None if self.answered is None else wall(self.answered),
            ended=wall(end),
            cause=self.cause.record,
            status=self.status,
            q850=self.cause.q850,
            hung_up_by=self.hung_up_by,
            reason=self.reason,
            codec=self.codec,
            digits=self.digits,
            stats=self.stats,
            turns_ms=tuple(self.turns_ms),
            recordings=tuple(self.recordings),
            transcript=tuple(self.transcript),
            headers=self.headers,
            carried=self.carried,
            far_status=self.far.status,
            far_q850=self.far.q850,
            far_text=self.far.text,
            replacements=tuple(self.replacements),
            srtp=self.srtp,
        )
