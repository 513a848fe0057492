"""PRACK: theirs for our reliable provisional responses, and ours for theirs (RFC 3262)."""

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.sip.attempts import Attempts
from sipgw.sip.body import describes
from sipgw.sip.client_transaction import ClientUser
from sipgw.sip.core import Core
from sipgw.sip.dialog import Dialog
from sipgw.sip.events import Acknowledged
from sipgw.sip.leg import Extra, Leg
from sipgw.sip.message import Request, Response
from sipgw.sip.reliable import RAck, rack_of, wanted
from sipgw.sip.server_transaction import ServerTransaction
from sipgw.sip.their_invite import accept_at_last
from sipgw.sip.their_update import TheirOffer


def receive_prack(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    """Their PRACK: 200 where it is for the response that waits, 481 where it is for none.

    Where that response had our offer the answer is in the PRACK; where offer and answer are complete by it, the PRACK
    may have another offer, which the layer above answers (section 5).
    """
    rack = rack_of(request)
    theirs = leg.theirs
    if rack == leg.late:
        # It crossed the final response, which did not have to wait for it (section 3).
        leg.late = None
        server.respond(core.respond(request, 200), now)
        return
    if theirs is None:
        raise PeerError(481)
    offered = theirs.offers
    response = theirs.provisionally_acknowledged(rack, now)
    if response is None:
        raise PeerError(481)
    theirs.agreed = theirs.agreed or bool(response.body)
    if request.body and theirs.agreed and not offered:
        TheirOffer(core, leg, request, server)
        return
    server.respond(core.respond(request, 200), now)
    if response.body and offered:
        core.tell(Acknowledged(leg.name, request))
    elif request.body:
        core.drop("unasked_description", now, "PRACK", leg.name)
    accept_at_last(core, leg, now)


class Early:
    """The early dialogs of an INVITE of ours: one for each phone that said something (RFC 3261 section 12.1).

    Args:
        core: the agent.
        leg: whose they are.
    """

    def __init__(self, core: Core, leg: Leg) -> None:
        self._core, self._leg = core, leg
        self._dialogs: dict[str, Dialog] = {}
        self._sequences: dict[str, int] = {}
        """The RSeq acknowledged last, by the peer's tag."""
        self._offers: dict[str, RAck] = {}
        """Responses with an offer, by the same, whose PRACK waits for our answer."""
        self._agreed: set[str] = set()

    def dialog(self, tag: str) -> Dialog | None:
        """The early dialog with the phone of that tag."""
        return self._dialogs.get(tag)

    @property
    def all(self) -> tuple[Dialog, ...]:
        """Those there are."""
        return tuple(self._dialogs.values())

    def heard(self, invite: Request, response: Response, flow: Flow, now: float) -> bool:
        """Take a provisional response; whether it is news, and not a repeat or one that came too early."""
        tag = response.to.tag
        if not tag:
            return True
        if tag not in self._dialogs:
            self._dialogs[tag] = Dialog.of_response(invite, response, flow)
        sequence = wanted(response)
        if sequence is None:
            return True
        if tag in self._sequences and sequence != self._sequences[tag] + 1:
            self._core.drop("provisional_out_of_order", now, str(sequence), self._leg.name)
            return False
        self._sequences[tag] = sequence
        rack = RAck(sequence, invite.cseq.number, "INVITE")
        if describes(response) and not invite.body and tag not in self._agreed:
            self._offers[tag] = rack
            return True
        if describes(response):
            self._agreed.add(tag)
        self._acknowledge(self._dialogs[tag], rack, now)
        return True

    def offers(self, tag: str) -> bool:
        """Whether an offer of that phone waits for our answer."""
        return tag in self._offers

    def agreed(self, tag: str) -> bool:
        """Whether offer and answer are complete with that phone, before its final response."""
        return tag in self._agreed

    def acknowledge(self, tag: str, body: bytes, now: float) -> bool:
        """Answer the offer of that phone, of the one that offered first where it is empty; whether there was one."""
        tag = tag or next(iter(self._offers), "")
        rack = self._offers.pop(tag, None)
        if rack is None:
            return False
        self._agreed.add(tag)
        self._acknowledge(self._dialogs[tag], rack, now, body)
        return True

    def forget(self, tag: str) -> bool:
        """Drop the dialog with that phone; whether there was one. It rings no longer."""
        self._offers.pop(tag, None)
        self._agreed.discard(tag)
        return self._dialogs.pop(tag, None) is not None

    @property
    def first(self) -> Dialog | None:
        """The oldest of those there are."""
        return next(iter(self._dialogs.values()), None)

    def _acknowledge(self, dialog: Dialog, rack: RAck, now: float, body: bytes = b"") -> None:
        core = self._core

        def make(flow: Flow, number: int, extra: Extra) -> Request:
            return core.within(dialog, "PRACK", flow, number, (("RAck", str(rack)), *extra), body)

        # What comes of it changes nothing: a peer that does not get it repeats its response, and gives the call up.
        nobody = ClientUser(lambda *_: None, lambda *_: None)
        Attempts(core, make, (core.hop(dialog),), dialog.next_cseq, nobody, now, self._leg.answers)
