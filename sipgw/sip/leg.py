"""One leg: what the agent remembers of one call from its first INVITE to its end."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sipgw.flow import Flow
from sipgw.sip.dialog import Dialog
from sipgw.sip.message import Request, Response

if TYPE_CHECKING:
    from sipgw.sip.credentials import Answers
    from sipgw.sip.our_invite import OurInvite
    from sipgw.sip.redirecting import Redirecting
    from sipgw.sip.reliable import RAck
    from sipgw.sip.session_timer import SessionTimer
    from sipgw.sip.their_invite import TheirInvite
    from sipgw.sip.their_update import TheirOffer

Extra = tuple[tuple[str, str], ...]
"""Further headers for one message."""


class Stage(Enum):
    """How far a leg is."""

    ASKED = "asked"
    """Their INVITE waits for our final response."""
    ASKING = "asking"
    """Our INVITE waits for theirs."""
    UP = "up"
    """There was a 2xx."""
    ENDING = "ending"
    """Our BYE waits for its response."""
    GONE = "gone"


def allowed(message: Request | Response) -> frozenset[str]:
    """Methods its sender takes, by its Allow; empty where it does not say."""
    return frozenset(method.strip().upper() for method in message.headers.listed("Allow"))


@dataclass(slots=True)
class Leg:
    """The state of one leg. Its name is our tag, so that a message finds it without a search."""

    name: str
    flow: Flow
    stage: Stage
    request: Request | None = None
    """The INVITE, as long as it has no final response."""
    trunk: str = ""
    """The trunk it came by."""
    dialog: Dialog | None = None
    theirs: "TheirInvite | None" = None
    """Their INVITE without an answer, or with one that was not acknowledged."""
    offer: "TheirOffer | None" = None
    """Their offer in an UPDATE or a PRACK that has no answer; it may come while their INVITE waits."""
    late: "RAck | None" = None
    """Names a provisional response of ours whose PRACK had not come when the final one left: it may come yet."""
    ours: "OurInvite | None" = field(default=None)
    """Our INVITE without a final response."""
    updating: bool = False
    """An offer of ours in an UPDATE has no answer."""
    redirecting: "Redirecting | None" = None
    """Where our INVITE may go instead, until it is answered."""
    farewell: Extra | None = None
    """A hang-up that must wait, with its headers: for a provisional response, or for the ACK (RFC 3261 9.1 and 15)."""
    answers: "Answers | None" = None
    """What we say to who asks who we are."""
    timer: "SessionTimer | None" = None
    allows: frozenset[str] = frozenset()
    """Methods the far end takes, by its own word."""
    description: bytes = b""
    """What we said last of our media: the SDP of our offer or answer in force."""
    told: bool = False
    """The layer above knows that it is over."""

    @property
    def asked(self) -> bool:
        """Whether its caller waits for our answer."""
        return self.stage is Stage.ASKED

    @property
    def answered(self) -> bool:
        """Whether there was a 2xx, of either side."""
        return self.stage not in (Stage.ASKED, Stage.ASKING)

    @property
    def ending(self) -> bool:
        """Whether we have ended it, or will as soon as that is allowed."""
        return self.stage in (Stage.ENDING, Stage.GONE) or self.farewell is not None
