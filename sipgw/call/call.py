"""One incoming call: carries out the table in `states`.

`on(event, now)` takes whatever concerns the call; what is to be done lies in `take()` afterwards.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sipgw.ai.events import CallFacts, Open
from sipgw.call import effects as do
from sipgw.call.causes import GATEWAY, RETRY_LATER, Refusal, ending, reason
from sipgw.call.cdr import Draft
from sipgw.call.events import CallEvent, PortsOpened
from sipgw.call.holdings import Holdings, Leg
from sipgw.call.invitation import Invitation
from sipgw.call.negotiation import Negotiation
from sipgw.call.reading import Reading
from sipgw.call.routing import Route, Routes, Target
from sipgw.call.states import TABLE, Seen, State
from sipgw.errors import Cause, PeerError
from sipgw.media import plane
from sipgw.options import CallOptions, MediaOptions
from sipgw.sip.body import sdp_of
from sipgw.sip.events import Confirmed, Invited, Reinvited
from sipgw.trace import Mark, Note, Trace

APOLOGY = "apology"
APOLOGY_LIMIT = 15.0
"""Seconds after which an apology counts as heard."""
ENDING_LIMIT = 2.0
"""Seconds for the last counters and the BYE's response; the record does not wait longer."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls share."""

    options: CallOptions
    media: MediaOptions
    routes: Routes
    trace: Trace
    wall: Callable[[float], float]
    """Turns the core's `now` into Unix time."""


class Moment(NamedTuple):
    """What an action gets to see."""

    seen: Seen
    event: Any
    """What came from outside; for what an action saw itself, what made that action run."""
    now: float


class Call:
    """An incoming call from its INVITE to its record."""

    def __init__(self, call: str, leg: str, around: Surroundings, now: float) -> None:
        self.id = call
        self.state = State.NEW
        self.draft = Draft(call, around.wall, now)
        self._around = around
        self._held = Holdings(call, leg)
        self._negotiation = Negotiation(call, around.media)
        self._reading = Reading(self._held, self.draft, self._drop)
        self._invitation: Invitation | None = None
        self._route: Route | None = None
        self._targets: Iterator[Target] = iter(())
        self._refusal: Refusal | None = None
        self._heard = False
        """A packet came, or is not waited for any longer."""
        self._acknowledged = False
        self._sorry = False
        """An apology takes the place of the conversation."""

    def on(self, event: CallEvent, now: float) -> None:
        """Something happened."""
        seen = self._reading.seen(event, now)
        if seen is not None:
            self._see(seen, event, now)

    def turn_away(self, event: Invited, cause: Cause, now: float) -> None:
        """Refuse a new call without looking at its offer."""
        self._note_caller(Moment(Seen.INVITED, event, now))
        self._see(self._refuse(Refusal(cause, cause.status), now), event, now)

    def shut_down(self, now: float) -> None:
        """The gateway stops."""
        self._see(Seen.SHUT_DOWN, None, now)

    def broke(self, now: float) -> None:
        """An exception came out of `on`: end as well as still possible. Raises what comes out of that."""
        if self.state is State.ENDING:
            self._let_go()
            self._see(Seen.WAITED_ENOUGH, None, now)
        elif self.state is State.ENDED:
            self.abandon()
        else:
            self._see(Seen.BROKE, None, now)

    def abandon(self) -> None:
        """End without a record, which cannot be made; give everything back. Does not raise."""
        self.state = State.ENDED
        self._let_go()
        self._held.give_ports_back()

    @property
    def leg(self) -> str:
        """The SIP agent's name for the caller's dialog."""
        return self._held.leg_id

    def take(self) -> list[do.Effect]:
        """Take what is to be done, in order."""
        taken, self._held.effects = self._held.effects, []
        return taken

    # --- the table ------------------------------------------------------------------------------------------------

    def _see(self, seen: Seen | None, event: Any, now: float) -> None:
        while seen is not None:
            row = TABLE.get((self.state, seen))
            if row is None:
                self._drop("out_of_place", f"{seen.name.lower()} while {self.state.name.lower()}", now)
                return
            state, actions = row
            self._enter(state, seen, now)
            seen = self._act(actions, Moment(seen, event, now))

    def _enter(self, state: State, seen: Seen, now: float) -> None:
        if state is not self.state:
            self.state = state
            self._around.trace(Note(now, "call", Mark.STATE, state.name.lower(), self.id, seen.name.lower()))

    def _act(self, actions: tuple[str, ...], moment: Moment) -> Seen | None:
        for name in actions:
            seen = ACTIONS[name](self, moment)
            if seen is not None:
                return seen
        return None

    def _drop(self, name: str, detail: str, now: float) -> None:
        self._around.trace(Note(now, "call", Mark.DROP, name, self.id, detail))

    def _refuse(self, refusal: Refusal, now: float) -> Seen:
        self._refusal = refusal
        self._drop(refusal.cause.record, f"{refusal.status} {refusal.detail}".strip(), now)
        return Seen.REFUSED

    # --- actions: setting up --------------------------------------------------------------------------------------

    def _note_caller(self, moment: Moment) -> Seen | None:
        invited: Invited = moment.event
        draft = self.draft
        draft.source = invited.flow.remote[0]
        try:
            who = self._invitation = Invitation.of(invited)
        except PeerError as error:
            return self._refuse(Refusal.of(error), moment.now)
        draft.caller, draft.called, draft.sip_call_id = who.caller, who.called, who.sip_call_id
        return None

    def _find_route(self, moment: Moment) -> Seen | None:
        draft = self.draft
        found = self._around.routes.find(draft.called, draft.source)
        if isinstance(found, Cause):
            return self._refuse(Refusal(found, found.status, f"{draft.called} from {draft.source}"), moment.now)
        self._route, self._targets = found, iter(found.targets)
        draft.route = found.options.number
        return None

    def _read_offer(self, moment: Moment) -> Seen | None:
        invited: Invited = moment.event
        try:
            self._negotiation.read(sdp_of(invited.request))
        except PeerError as error:
            return self._refuse(Refusal.of(error), moment.now)
        return None

    def _open_ports(self, moment: Moment) -> None:
        self._held.open_ports()

    def _forget_ports(self, moment: Moment) -> None:
        self._held.forget_ports()

    def _negotiate(self, moment: Moment) -> Seen | None:
        opened: PortsOpened = moment.event
        self._held.ports_opened()
        try:
            stream = self._negotiation.begin(opened.address, opened.port)
        except PeerError as error:
            return self._refuse(Refusal.of(error), moment.now)
        self.draft.codec = stream.codec
        self._held.create_session(stream)
        return None

    def _ring(self, moment: Moment) -> None:
        if self._its_route.options.ring:
            self.draft.ringing = moment.now
            self._held.ring()

    # --- actions: targets -----------------------------------------------------------------------------------------

    def _next_target(self, moment: Moment) -> Seen | None:
        if moment.seen is Seen.TARGET_FAILED:
            self._give_up_target(moment)
        for target in self._targets:
            self.draft.tried(target.name, moment.now)
            if target.backend is not None:
                self._held.connect(target.backend, self._facts())
                self._held.start_timer("target", moment.now + self._its_route.options.target_timeout)
                return None
            self.draft.target_failed("not_configured")
        return Seen.OUT_OF_TARGETS

    def _give_up_target(self, moment: Moment) -> None:
        """Note why. One that took too long is still at it: it is replaced, or closed with the call."""
        why = reason(moment.event) or "timeout"
        self._held.cancel_timer("target")
        if isinstance(moment.event, plane.Reported):
            self._held.forget_conversation()
        self.draft.target_failed(why)
        self._drop("target_failed", f"{self.draft.targets[-1].target}: {why}", moment.now)

    def _take_target(self, moment: Moment) -> None:
        self._held.cancel_timer("target")
        self.draft.target_ready()

    def _choose_last_resort(self, moment: Moment) -> Seen:
        last_resort = self._its_route.options.last_resort
        if last_resort == APOLOGY:
            self._be_sorry(moment)
            return Seen.SORRY
        return self._refuse(Refusal(Cause.BACKEND_FAILED, int(last_resort), "no target left"), moment.now)

    def _be_sorry(self, moment: Moment) -> None:
        self._sorry = True
        self._held.close_conversation(Cause.BACKEND_FAILED.record)

    def _apologise(self, moment: Moment) -> None:
        self._held.play(APOLOGY)
        self._held.start_timer("apology", moment.now + APOLOGY_LIMIT)

    # --- actions: the answer --------------------------------------------------------------------------------------

    def _answer(self, moment: Moment) -> None:
        self._held.answer(self._negotiation.body)
        if self._negotiation.agreed:
            self._held.start_session()
        self._held.start_timer("limit", moment.now + self._its_route.options.max_duration)
        self.draft.answered, self.draft.status = moment.now, 200
        self._held.log("call answered", self.draft.summary())

    def _take_ack(self, moment: Moment) -> Seen | None:
        confirmed: Confirmed = moment.event
        self._acknowledged = True
        late = not self._negotiation.agreed
        try:
            stream = self._negotiation.acknowledged(sdp_of(confirmed.ack))
        except PeerError as error:
            if late:
                return self._refuse(Refusal.of(error), moment.now)
            self._drop("unusable_answer", str(error), moment.now)
            return None
        self._update(stream)
        if late:
            self._held.start_session()
        return None

    def _await_first_packet(self, moment: Moment) -> Seen | None:
        if self._heard:
            return Seen.HEARS
        if not self._held.running("packet"):
            self._held.start_timer("packet", moment.now + self._around.options.first_rtp_wait)
        return None

    def _note_packet(self, moment: Moment) -> None:
        self._heard = True
        self._held.cancel_timer("packet")

    def _catch_up(self, moment: Moment) -> Seen | None:
        return Seen.CAUGHT_UP if self._acknowledged else None

    def _open(self, moment: Moment) -> Seen | None:
        if self._sorry:
            return Seen.SORRY
        self._held.tell(Open())
        return None

    # --- actions: re-INVITE ---------------------------------------------------------------------------------------

    def _renegotiate(self, moment: Moment) -> None:
        reinvited: Reinvited = moment.event
        try:
            body, stream = self._negotiation.reinvited(sdp_of(reinvited.request))
        except PeerError as error:
            refusal = Refusal.of(error)
            self._drop("reinvite_refused", f"{refusal.status} {refusal.detail}", moment.now)
            self._held.refuse_reinvite(refusal.status, refusal.phrase, refusal.headers)
        else:
            self._held.answer(body)
            self._update(stream)

    def _refuse_reinvite(self, moment: Moment) -> None:
        self._held.refuse_reinvite(481)

    def _update(self, stream: plane.Stream | None) -> None:
        if stream is not None:
            self._held.update_session(stream)
            self.draft.codec = stream.codec

    # --- actions: the end -----------------------------------------------------------------------------------------

    def _forget_leg(self, moment: Moment) -> None:
        self._held.forget_leg()

    def _forget_session(self, moment: Moment) -> None:
        self._held.forget_session()

    def _give_ports_back(self, moment: Moment) -> None:
        self._held.ports_opened()
        self._held.give_ports_back()

    def _keep_stats(self, moment: Moment) -> None:
        ended: plane.SessionEnded = moment.event
        self.draft.stats = ended.stats
        self._held.forget_session()

    def _end(self, moment: Moment) -> Seen | None:
        draft, refusal = self.draft, self._refusal
        if moment.seen is Seen.REFUSED and refusal is not None:
            draft.cause, draft.hung_up_by, draft.reason = refusal.cause, GATEWAY, refusal.detail
        else:
            draft.cause, draft.hung_up_by = ending(moment.seen, draft.answered is not None)
            draft.reason = reason(moment.event)
            refusal = Refusal(draft.cause, draft.cause.status)
        draft.ended = moment.now
        if draft.answered is None:
            draft.status = refusal.status if self._held.leg is Leg.ASKING else Cause.CANCELLED.status
        self._held.leave(draft.cause, refusal.status, refusal.phrase, (*refusal.headers, *self._retry_after()))
        self._held.let_go(draft.cause.record)
        self._held.start_timer("ending", moment.now + ENDING_LIMIT)
        return self._settle(moment)

    def _settle(self, moment: Moment) -> Seen | None:
        return Seen.SETTLED if self._held.settled else None

    def _finish(self, moment: Moment) -> None:
        self._held.finish(self.draft.finish(moment.now))

    # --- what they need -------------------------------------------------------------------------------------------

    @property
    def _its_route(self) -> Route:
        assert self._route is not None, "a call with a session has a route"
        return self._route

    def _facts(self) -> CallFacts:
        assert self._invitation is not None, "a call with a session has a caller"
        return self._invitation.facts(self.id, self._negotiation.codec, self._around.wall(self.draft.started))

    def _let_go(self) -> None:
        self._held.leave(Cause.INTERNAL, Cause.INTERNAL.status, "", ())
        self._held.let_go(Cause.INTERNAL.record)

    def _retry_after(self) -> do.Headers:
        if self.draft.cause not in RETRY_LATER:
            return ()
        return (("Retry-After", str(self._around.options.retry_after)),)


ACTIONS: dict[str, Callable[[Call, Moment], Seen | None]] = {
    name: getattr(Call, f"_{name}") for name in {name for _, names in TABLE.values() for name in names}
}
"""The table's words. Made once, so that a word without a deed does not wait for a call to be noticed."""
