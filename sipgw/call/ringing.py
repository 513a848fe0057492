"""The deeds between the INVITE and the answer that the caller notices: ringing, and early media (RFC 3960).

Early media is a 183 with our description, and RTP from there on: a prompt, and then the AI, which speaks but does not
hear. The caller's description is known from the INVITE. A caller who offered nothing gets our offer in the 183, where
the answer can come in a PRACK (RFC 3262), and else a plain 180.
"""

from collections.abc import Callable

from sipgw.ai.events import Open
from sipgw.call.causes import Refusal
from sipgw.call.cdr import Draft
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.recording import Recorder
from sipgw.call.states import Seen
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.call.targets import Targets
from sipgw.errors import PeerError
from sipgw.media.plane import Stream
from sipgw.sip.body import sdp_of
from sipgw.sip.events import Acknowledged, Reinvited

TIMER = "early"

Take = Callable[[bytes | None], tuple[bytes, Stream | None]]


class Ringing(Recorder):
    """One call's."""

    def __init__(self, call: str, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        super().__init__(call, held, draft, around, happened)
        self._targets = Targets(held, draft, around, happened)
        self._refusal: Refusal | None = None
        self._sorry = False
        """An apology takes the place of the conversation."""
        self._takes_offers = False
        """The caller can answer an offer in a provisional response."""
        self._early_spoken: bool | None = None
        """Whether the AI has spoken early for as long as it may; None while it has not begun."""

    def refuse(self, refusal: Refusal, now: float) -> Seen:
        """We will not have this call."""
        self._refusal = refusal
        self._drop(refusal.cause.record, f"{refusal.status} {refusal.detail}".strip(), now)
        return Seen.REFUSED

    def ring(self, moment: Moment) -> Seen | None:
        """Let the caller hear that we are at it, if the route wants it; a hook that is being asked may not."""
        if self._draft.ringing is not None or self._held.asking:
            return None
        route = self._its_route
        early = route.early_media and (self._negotiation.agreed or self._takes_offers)
        if not self._targets.rings(early or route.ring):
            return None
        self._draft.ringing = moment.now
        if not early:
            self._held.ring()
        self._happened(Kind.RINGING, moment.now)
        return Seen.EARLY_MEDIA if early else None

    def begin_early(self, moment: Moment) -> None:
        """183, and RTP from here on where its way is known."""
        self._held.ring(183, self._negotiation.body)
        if self._negotiation.agreed:
            self._be_heard(moment.now)

    def take_early_answer(self, moment: Moment) -> Seen | None:
        """The PRACK has the answer to the offer in our 183."""
        acknowledged: Acknowledged = moment.event
        try:
            self._update(self._negotiation.acknowledged(sdp_of(acknowledged.request)))
        except PeerError as error:
            return self.refuse(Refusal.of(error), moment.now)
        self._be_heard(moment.now)
        return None

    def go_on_early(self, moment: Moment) -> Seen | None:
        """What comes next: the prompt to its end, the AI for its time, the answer; the first two where wanted."""
        if not self._negotiation.agreed:
            return None
        if self._sorry:
            return Seen.EARLY_OVER
        if self._held.prompt or not self._targets.ready_at_hand:
            return None
        limit = self._its_route.early_seconds
        if not limit or self._early_spoken:
            return Seen.EARLY_OVER
        if self._early_spoken is None:
            self._early_spoken = False
            self._held.start_timer(TIMER, moment.now + limit)
        self._held.tell(Open(early=True))
        self._set_mute()
        return None

    def end_early_speech(self, moment: Moment) -> None:
        """The AI has spoken long enough before the answer."""
        self._early_spoken = True

    def renegotiate_early(self, moment: Moment) -> None:
        """Answer an UPDATE, or the offer in a PRACK, before the answer; one that cannot be served changes nothing."""
        self._renegotiate(moment, self._negotiation.reinvited_early, "early_offer_refused")

    def _renegotiate(self, moment: Moment, take: Take, refused: str) -> None:
        """Answer an offer of the far end's.

        Args:
            moment: with the request that carries it.
            take: gives the answer to an offer, None where we are to make it, and the new stream where that changes.
            refused: the name, for the trace, of one that cannot be served; it changes nothing.
        """
        reinvited: Reinvited = moment.event
        try:
            body, stream = take(sdp_of(reinvited.request))
        except PeerError as error:
            refusal = Refusal.of(error)
            self._drop(refused, f"{refusal.status} {refusal.detail}", moment.now)
            self._held.refuse_offer(refusal.status, refusal.phrase, refusal.headers)
        else:
            self._held.answer_offer(body)
            self._update(stream)
            self._note_far_hold(moment.now)

    def _be_heard(self, now: float) -> None:
        self._held.start_session()
        if prompt := self._its_route.early_prompt:
            # Nothing is to be muted for it: the conversation is not open.
            self._held.play(prompt)
            self._happened(Kind.PLAYING, now, prompt=prompt)

    def _drop(self, name: str, detail: str, now: float) -> None:
        self._around.drop(self._call, name, detail, now)
