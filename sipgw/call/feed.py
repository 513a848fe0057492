"""What calls tell whoever watches from outside: the event stream, webhooks, records. Nobody in here waits for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

Value = str | int | float | bool | None


class Kind(Enum):
    """What can happen, by its public name. The fields of each are told here."""

    STARTED = "call.started"
    """An INVITE was read: caller, called, source, sip_call_id."""
    RINGING = "call.ringing"
    TARGET = "call.target"
    """A target is tried: target."""
    TARGET_FAILED = "call.target_failed"
    """target, reason."""
    ANSWERED = "call.answered"
    """route, target, codec, besides what `STARTED` told."""
    DIGIT = "call.digit"
    """The caller pressed a key: duration_ms, and digit where keys may be shown."""
    TRANSCRIPT = "call.transcript"
    """role (`caller` or `agent`), text, final."""
    TURN = "call.turn"
    """latency_ms."""
    PLAYING = "call.playing"
    """A prompt begins: prompt."""
    PLAYED = "call.played"
    """A prompt is over: prompt, complete."""
    DIGITS_SENT = "call.digits_sent"
    """Keys were pressed towards the far end: count, complete."""
    HELD = "call.held"
    """The call is on hold: by (`gateway` or `caller`)."""
    RESUMED = "call.resumed"
    """It no longer is: by."""
    HOLD_FAILED = "call.hold_failed"
    """The far end refused: wanted (`hold` or `resume`), status, reason."""
    RECORDING = "call.recording"
    """state (`started`, `paused` or `resumed`), and path where it started."""
    RECORDED = "call.recorded"
    """A recording is complete: path, seconds, sha256, lost_ms, failure."""
    REPLACED = "call.replaced"
    """Another far end took the caller's place, as attended transfers do (RFC 3891): caller, source, sip_call_id."""
    SILENCE = "call.silence"
    """Neither caller nor AI speaks, and the caller is reminded: seconds."""
    ENDED = "call.ended"
    """The record's summary."""
    PHONE_REGISTERED = "phone.registered"
    """A phone can be called at one more place: phone, contact, source, expires. `call` is empty."""
    PHONE_UNREGISTERED = "phone.unregistered"
    """It no longer can: phone, contact, source, reason. `call` is empty."""
    ALARM = "alarm"
    """Something an operator should look at: name, detail. `call` may be empty."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    kind: Kind
    call: str
    """The call's id."""
    when: float
    """Unix time."""
    data: Mapping[str, Value] = field(default_factory=dict)


Publish = Callable[[Happening], None]
"""Takes what happens. Must not raise and must not block."""


class Happened(Protocol):
    """Publishes what happened to one call."""

    def __call__(self, kind: Kind, now: float, /, **data: Value) -> None:
        """`now` is the core's."""


def unheard(happening: Happening) -> None:
    """Nobody watches."""
