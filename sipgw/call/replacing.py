"""The deeds that put another far end in the caller's place (RFC 3891): same call, same conversation, same ports."""

from functools import partial

from sipgw.call.causes import Refusal
from sipgw.call.cdr import Draft
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.invitation import Invitation
from sipgw.call.ringing import Ringing
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.errors import Cause, PeerError
from sipgw.sip.body import sdp_of
from sipgw.sip.events import Invited


class Replacing(Ringing):
    """One call's; what the rest of its deeds builds upon."""

    def __init__(self, call: str, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        super().__init__(call, held, draft, around, happened)
        self._acknowledged = False
        """The ACK of our 200 came, of the leg at hand."""

    def move(self, moment: Moment) -> None:
        """Go on with it. Who cannot be served is refused, and nothing changes."""
        invited: Invited = moment.event
        try:
            who = Invitation.of(invited, self._around.options, partial(self._left_out, moment.now))
            body, stream = self._negotiation.moved(
                f"{self._call}/{invited.leg}", sdp_of(invited.request), invited.flow.remote[0],
                srtp=self._around.options.srtp_with(invited.trunk),
            )  # fmt: skip
        except PeerError as error:
            refusal = Refusal.of(error)
            detail = f"{refusal.status} {refusal.detail}"
            self._around.drop(self._call, "replacement_refused", detail, moment.now)
            self._held.refuse_other(invited.leg, refusal.status, refusal.phrase, refusal.headers)
            return
        self._acknowledged = False
        self._reoffer.move()
        self._held.move(invited.leg, body)
        self._update(stream)
        self._draft.replaced(who.caller, who.source, who.sip_call_id, moment.now)
        told = {"caller": who.caller, "source": who.source, "sip_call_id": who.sip_call_id}
        self._happened(Kind.REPLACED, moment.now, **told)
        self._note_far_hold(moment.now)

    def decline_move(self, moment: Moment) -> None:
        """There is nothing to be taken over: the call was not answered, or is over."""
        invited: Invited = moment.event
        self._held.refuse_other(invited.leg, Cause.REJECTED.status)

    def _left_out(self, now: float, name: str, detail: str) -> None:
        self._drop(name, detail, now)
