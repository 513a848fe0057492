"""What the SIP agent tells the layer above. `leg` is its name for one dialog and the handle in every command."""

from dataclasses import dataclass

from sipgw.flow import Flow
from sipgw.options import NOBODY, IdentityOptions
from sipgw.sip.message import Request, Response
from sipgw.sip.reason import FarReason, reason_of


@dataclass(frozen=True, slots=True)
class Invited:
    """A new call came in; 100 Trying is already on its way. Answer with `ring`, `answer` or `refuse`."""

    leg: str
    request: Request
    flow: Flow
    trunk: str = ""
    """The trunk it comes from, by address, certificate or digest; empty for somebody else."""
    identity: IdentityOptions = NOBODY
    """What is believed of what it says about the caller; where nothing is, what only a trusted peer may say has been
    taken out of the request."""
    replaces: str = ""
    """The leg whose place it is to take, whose peer may ask for that (RFC 3891): hang that up once this is answered."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller gave up before the answer; 487 has been sent, the leg is gone."""

    leg: str
    request: Request

    @property
    def reason(self) -> FarReason:
        """Why, as far as it says so."""
        return reason_of(self.request)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK of our 2xx came. `ack.body` holds the answer where the INVITE had no offer."""

    leg: str
    ack: Request


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The PRACK of a provisional response of ours with an offer; its body is the answer (RFC 3262 section 5)."""

    leg: str
    request: Request


@dataclass(frozen=True, slots=True)
class Reinvited:
    """A re-INVITE, or an offer in an UPDATE or a PRACK, also before our answer to their INVITE.

    Answer with `answer` or `refuse`. A re-INVITE without a body wants an offer.
    """

    leg: str
    request: Request


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of theirs, pressed in signalling (INFO)."""

    leg: str
    digit: str
    """`0` to `9`, `*`, `#`, `A` to `D`."""
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Progressed:
    """A provisional response to our INVITE (101 to 198); with a description, early media may come."""

    leg: str
    response: Response
    phone: str = ""
    """Which phone says so, where several may ring: its tag, which is that of its early dialog."""
    offers: bool = False
    """Its description is an offer, as our INVITE had none: answer with `acknowledge`."""


@dataclass(frozen=True, slots=True)
class EarlyEnded:
    """One of several phones that our INVITE rang rings no longer (199, RFC 6228): its early dialog is gone."""

    leg: str
    phone: str
    response: Response


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx to our INVITE, re-INVITE or UPDATE; the ACK is already on its way, unless it has to hold an answer."""

    leg: str
    response: Response
    offers: bool = False
    """Its description is an offer, as our INVITE had none: answer with `acknowledge`."""


@dataclass(frozen=True, slots=True)
class Redirected:
    """Our INVITE is to go elsewhere, as far as that is allowed: say with `follow` where that is."""

    leg: str
    uri: str
    """The SIP URI whose addresses are wanted (RFC 3263)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A final refusal of our INVITE (the leg is gone), or of our re-INVITE or UPDATE (the leg goes on as before)."""

    leg: str
    status: int
    response: Response | None
    """None where the status is our own word for a timeout (408) or a transport error (503)."""
    initial: bool = True

    @property
    def reason(self) -> FarReason:
        """Why, as far as the far end says so."""
        return reason_of(self.response)


@dataclass(frozen=True, slots=True)
class HungUp:
    """The far end's BYE, answered with 200; the leg is gone."""

    leg: str
    request: Request

    @property
    def reason(self) -> FarReason:
        """Why, as far as it says so."""
        return reason_of(self.request)


@dataclass(frozen=True, slots=True)
class Lost:
    """The leg is gone without the far end's word: no ACK came (a BYE was sent), or a BYE was never answered."""

    leg: str
    reason: str
    """`no_ack`, `no_prack`, `no_answer_to_bye`, `gone` (481 or 408 to a request of ours), `session_expired`."""


@dataclass(frozen=True, slots=True)
class Released:
    """Our own BYE or CANCEL has run its course; the leg is gone."""

    leg: str


SipEvent = (
    Invited
    | Cancelled
    | Confirmed
    | Acknowledged
    | Reinvited
    | KeyPressed
    | Progressed
    | EarlyEnded
    | Answered
    | Redirected
    | Refused
    | HungUp
    | Lost
    | Released
)
