"""What the API takes and gives, as its OpenAPI description has it."""

from dataclasses import asdict
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from sipgw.call.view import CallView
from sipgw.ops.api.gateway import BanView


class Model(BaseModel):
    """Base of all: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Call(Model):
    """One call as it stands. Times are Unix times."""

    id: str
    caller: str
    called: str
    source: str
    """Address the INVITE came from."""
    route: str
    """Pattern of the route that took the call."""
    state: str
    target: str
    """Backend that has the call."""
    codec: str
    srtp: str
    """Suite by which RTP is protected (RFC 4568); empty where it is not."""
    started: float
    answered: float | None
    held_by: list[str]
    """Who has it on hold: `gateway`, `caller`, both or none."""
    prompt: str
    """Prompt that plays; empty where none does."""
    recording: str
    """`on`, `paused` or `off`."""
    attestation: str
    """How sure the carrier is of the caller's number: `A`, `B`, `C`, `failed` or `unknown`."""
    attestation_source: str
    """Header that says so."""
    privacy: str
    """What the caller wishes not to be told (RFC 3323)."""
    diverted_by: str
    """Number that sent the call on last (RFC 5806)."""

    @classmethod
    def of(cls, view: CallView) -> Self:
        """As the call core shows it."""
        return cls(
            id=view.call,
            caller=view.caller,
            called=view.called,
            source=view.source,
            route=view.route,
            state=view.state,
            target=view.target,
            codec=view.codec,
            srtp=view.srtp,
            started=view.started,
            answered=view.answered,
            held_by=list(view.held_by),
            prompt=view.prompt,
            recording=view.recording,
            **view.carried.brief(),
        )


class CallPage(Model):
    """Some of the calls there are, the oldest first."""

    calls: list[Call]
    next: int | None
    """Hand this in as `after` to get the next page; null on the last."""
    total: int
    """Calls there are in all, whatever was asked for."""


class Accepted(Model):
    """It is being done. What comes of it is told by `/v1/events`, from `cursor` on."""

    cursor: str


class Play(Model):
    """A prompt to play to the caller. The AI is silent and hears nothing until its end."""

    prompt: Annotated[str, Field(max_length=100, examples=["greeting"])]
    """One of `/v1/prompts`."""


class Digits(Model):
    """Keys to press towards the far end (RFC 4733)."""

    digits: Annotated[str, Field(pattern=r"^[0-9*#A-Da-d]{1,64}$", examples=["12#"])]
    duration_ms: Annotated[int, Field(ge=100, le=2000)] = 160
    """Length of each key."""
    gap_ms: Annotated[int, Field(ge=40, le=2000)] = 80
    """Silence between two keys."""


class Hold(Model):
    """How to hold."""

    music: Annotated[str | None, Field(max_length=100)] = None
    """Prompt that repeats meanwhile: empty is silence; null is what the configuration says."""


class Say(Model):
    """Something the AI is asked to say."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Prompt(Model):
    """Something that can be played."""

    name: str
    seconds: float


class Happened(Model):
    """One message of the event stream."""

    cursor: str
    """Its place; hand it in to go on after it."""
    kind: str
    call: str
    """Empty where it concerns no single call."""
    when: float
    """Unix time."""
    data: dict[str, str | int | float | bool | None]
    """More, by kind."""


class Ready(Model):
    """Whether new calls are taken."""

    ready: bool
    reasons: list[str]
    """Why not."""


class Draining(Model):
    """No new calls are taken from now on."""

    calls: int
    """Calls that still run."""


class Reloaded(Model):
    """The configuration was read again. Calls that run keep what they had."""

    taken: list[str]
    """Keys that changed and are in force."""
    restart: list[str]
    """Keys that changed and need a restart."""
    warnings: list[str]


class AuditEntry(Model):
    """Something that was done, or tried, with a token."""

    when: float
    """Unix time."""
    who: str
    """The token's name; empty where the token was bad."""
    source: str
    what: str
    call: str
    outcome: str
    """`done`, or why not."""


class AuditPage(Model):
    """The newest entries of the audit log, the newest first."""

    entries: list[AuditEntry]


class Banned(Model):
    """A source that gets nothing for a while."""

    source: str
    """An IPv4 address, or an IPv6 range."""
    reason: str
    """Its last offence."""
    since: float
    """Unix time."""
    until: float
    datagrams_only: bool
    """TCP and TLS are open to it: the source of a datagram may be forged."""

    @classmethod
    def of(cls, view: BanView) -> Self:
        """As the gateway shows it."""
        return cls(**asdict(view))


class BanList(Model):
    """Who is banned, the oldest first."""

    bans: list[Banned]


class Lifted(Model):
    """A ban that is no more."""

    source: str
