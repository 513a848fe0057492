"""Offers of the peer's outside an INVITE: in an UPDATE (RFC 3311), or in a PRACK (RFC 3262 section 5).

Both may come while their INVITE still waits, once its own offer has been answered. Nobody acknowledges the answer.
"""

from sipgw.errors import PeerError
from sipgw.sip.core import Core
from sipgw.sip.events import Reinvited
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request
from sipgw.sip.paths import asks_for_sips
from sipgw.sip.server_transaction import ServerTransaction
from sipgw.sip.their_invite import accept_at_last
from sipgw.sip.transaction import State


class TheirOffer:
    """One offer that waits for our answer; told on creation."""

    def __init__(self, core: Core, leg: Leg, request: Request, server: ServerTransaction) -> None:
        self.request, self.server = request, server
        self._core, self._leg = core, leg
        leg.offer = self
        core.tell(Reinvited(leg.name, request))

    def settle(self, status: int, now: float, reason: str = "", headers: Extra = (), body: bytes = b"") -> None:
        """Answer or refuse it, which is the end of it."""
        if self._leg.offer is self:
            self._leg.offer = None
        if self.server.state not in (State.TRYING, State.PROCEEDING):
            return  # the transport failed meanwhile
        if status < 300:
            headers = self._core.capable(self._leg.flow, headers, secure=asks_for_sips(self.request))
        response = self._core.respond(self.request, status, reason=reason, headers=headers, body=body)
        self.server.respond(response, now)

    def abandon(self, now: float) -> None:
        """The dialog ends."""
        self.settle(487, now)


def receive_update(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    """Their UPDATE: a refresh, or an offer (RFC 3311 section 5.2).

    Before the answer to their INVITE the session timer has not begun: it stays as that INVITE asked for.
    """
    timer, up = core.timer_of(leg), leg.stage is Stage.UP
    if up:
        timer.asked(request)
    if request.body:
        _admit(core, leg)
        TheirOffer(core, leg, request, server)
        return
    if leg.dialog is not None:
        leg.dialog.refresh(request)
        core.changed(leg.name)
    headers = timer.accept(now) if up else ()
    capable = core.capable(leg.flow, headers, secure=asks_for_sips(request))
    server.respond(core.respond(request, 200, headers=capable), now)


def _admit(core: Core, leg: Leg) -> None:
    """May an offer come now? Raises PeerError: 491 where it meets one of ours, 500 where it follows one of theirs."""
    theirs, ours = leg.theirs, leg.ours
    if leg.stage is Stage.UP:
        glare = ours is not None or (theirs is not None and not theirs.waits)
        early = theirs is not None
    elif leg.stage is Stage.ASKED:
        glare = theirs is not None and theirs.offers
        early = theirs is None or not theirs.agreed
    else:
        early = ours is None or leg.dialog is None or not ours.agreed(leg.dialog.remote_tag)
        glare = early and ours is not None and bool(ours.request.body)
    if glare or leg.updating:
        raise PeerError(491)
    if early or leg.offer is not None:
        raise PeerError(500, "", (("Retry-After", str(core.spread(10))),))


def answer(core: Core, offer: TheirOffer, leg: Leg, body: bytes, now: float, headers: Extra) -> None:
    """Answer it."""
    dialog = leg.dialog
    if dialog is not None:
        dialog.refresh(offer.request)
    leg.description = body or leg.description
    timed = leg.stage is Stage.UP and offer.request.method == "UPDATE"
    timer = core.timer_of(leg).accept(now) if timed else ()
    offer.settle(200, now, headers=(*headers, *timer), body=body)
    core.changed(leg.name)
    accept_at_last(core, leg, now)


def refuse(core: Core, offer: TheirOffer, leg: Leg, status: int, now: float, reason: str, headers: Extra) -> None:
    """Refuse it: everything stays as it was."""
    offer.settle(status, now, reason, headers)
    accept_at_last(core, leg, now)
