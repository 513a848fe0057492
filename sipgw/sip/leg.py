"""One leg: what the agent remembers of one call from its first INVITE to its end."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sipgw.flow import Flow
from sipgw.sip.dialog import Dialog
from sipgw.sip.message import Request

if TYPE_CHECKING:
    from sipgw.sip.credentials import Answers
    from sipgw.sip.our_invite import OurInvite
    from sipgw.sip.their_invite import TheirInvite

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


@dataclass(slots=True)
class Leg:
    """The state of one leg. Its name is our tag, so that a message finds it without a search."""

    name: str
    flow: Flow
    stage: Stage
    request: Request | None = None
    """The INVITE, as long as it has no final response."""
    dialog: Dialog | None = None
    theirs: "TheirInvite | None" = None
    """Their INVITE without an answer, or with one that was not acknowledged."""
    ours: "OurInvite | None" = field(default=None)
    """Our INVITE without a final response."""
    farewell: Extra | None = None
    """A hang-up that must wait, with its headers: for a provisional response, or for the ACK (RFC 3261 9.1 and 15)."""
    answers: "Answers | None" = None
    """What we say to who asks who we are."""
    told: bool = False
    """The layer above knows that it is over."""
