"""What the call core wants done. The control shell carries effects out in order; it decides nothing.

An effect that takes time has an id and comes back as an event of that id: `OpenPorts` as `PortsOpened` or
`PortsFailed`, `Ask` as `HookAnswered` or `HookFailed`, `StartTimer` as `TimerFired`, the media commands as events of
the plane.
"""

from dataclasses import dataclass

from sipgw.call.advice import Question
from sipgw.call.cdr import CallRecord, Fields
from sipgw.flow import Flow
from sipgw.media import plane

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ring:
    """Send a provisional response to the leg's INVITE; its body is an answer, or an offer where there was none."""

    leg: str
    status: int = 180
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """Accept the leg's INVITE, or an offer that came after it (`Reinvited`), with 200 and this SDP."""

    leg: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse the leg's INVITE, which ends it, or an offer that came after it, which does not."""

    leg: str
    status: int
    reason: str = ""
    """The reason phrase; empty means the usual one."""
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class HangUp:
    """End an answered leg with a BYE; `Released`, `HungUp` or `Lost` follows."""

    leg: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Reinvite:
    """Offer anew within a confirmed leg; `Answered` or `Refused` follows."""

    leg: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Media:
    """A command for the media plane. The sockets of a `CreateSession` are the ports with the session's id."""

    command: plane.Command


@dataclass(frozen=True, slots=True)
class OpenPorts:
    """Open a pair of RTP ports; `id` is that of the session they are for."""

    id: str
    flow: Flow
    """By which the call came: its RTP leaves from its listener's address for media."""
    six: bool
    """Whether the far end's RTP is IPv6."""


@dataclass(frozen=True, slots=True)
class ReleasePorts:
    """Give the ports back; their session, if there was one, has ended. Unknown ids are to be ignored."""

    id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a hook where the call goes; `HookAnswered` or `HookFailed` follows, unless `StopAsking` comes before."""

    id: str
    hook: str
    question: Question


@dataclass(frozen=True, slots=True)
class StopAsking:
    """Its answer is not waited for any longer."""

    id: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Report `TimerFired` at `when`, on the clock that is handed to the core."""

    id: str
    when: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """That timer is not wanted any more."""

    id: str


@dataclass(frozen=True, slots=True)
class Log:
    """One INFO line with structured fields."""

    message: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Record:
    """The call is over; its record is complete. Exactly one for each INVITE of a new call."""

    record: CallRecord


Effect = (
    Ring | Answer | Refuse | HangUp | Reinvite | Media | OpenPorts | ReleasePorts | Ask | StopAsking
    | StartTimer | CancelTimer | Log | Record
)  # fmt: skip
