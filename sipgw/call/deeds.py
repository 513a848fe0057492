"""What the words of the state table do. Each deed may see something itself, which is then looked up in turn."""

from collections.abc import Callable
from functools import partial

from sipgw.ai.events import CallFacts, Open, Say
from sipgw.call import effects as do
from sipgw.call.advice import Question
from sipgw.call.causes import GATEWAY, RETRY_LATER, Refusal, ending, reason
from sipgw.call.cdr import Draft
from sipgw.call.events import PortsOpened
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings, Leg
from sipgw.call.invitation import Invitation
from sipgw.call.replacing import Replacing
from sipgw.call.reunion import keep_unrecorded, lost_events, repeat_commands
from sipgw.call.ringing import TIMER as EARLY
from sipgw.call.snapshot import KeptDeeds
from sipgw.call.states import TABLE, Seen, State
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.errors import Cause, PeerError
from sipgw.flow import written
from sipgw.media import plane
from sipgw.sip.body import sdp_of
from sipgw.sip.events import Confirmed, Invited
from sipgw.sip.reliable import OPTION as RELIABLE

APOLOGY = "apology"
APOLOGY_LIMIT = 15.0
"""Seconds after which an apology counts as heard."""
ENDING_LIMIT = 2.0
"""Seconds for the last counters and the BYE's response; the record does not wait longer."""
ACK_LIMIT = 4.0
"""Seconds after our 200 in which RTP leaves on the word of an INVITE alone: our 200 was sent four times by then."""
RECORDING_LIMIT = 10.0
"""The same where a recording has to be finished: a slow disk, or a long call to be hashed."""


class Deeds(Replacing):
    """One call's deeds and what they have to remember."""

    def __init__(self, call: str, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        super().__init__(call, held, draft, around, happened)
        self._invitation: Invitation | None = None
        self._heard = False
        """A packet came, or is not waited for any longer."""
        self._hushed = False
        """Next to nothing is sent, as neither an ACK nor a packet came in time."""
        self._reminded: float | None = None
        """When the caller was last asked whether they are still there."""

    def snapshot(self) -> KeptDeeds | None:
        """What `restore` needs; None where the call has not come to a route, and is not worth it."""
        if self._invitation is None or self._route is None:
            return None
        return KeptDeeds(
            self.snapshot_steering(),
            self._invitation,
            self._route,
            self._targets.snapshot(),
            self.snapshot_recorder(),
            heard=self._heard,
            acknowledged=self._acknowledged,
            sorry=self._sorry,
            reminded=None if self._reminded is None else self._around.wall(self._reminded),
        )

    def restore(self, kept: KeptDeeds, now: float) -> None:
        """Go on from there."""
        self.restore_steering(kept.steering, now)
        self._invitation, self._route = kept.invitation, kept.route
        self._targets.restore(kept.targets)
        self.restore_recorder(kept.recorder)
        self._heard, self._acknowledged, self._sorry = kept.heard, kept.acknowledged, kept.sorry
        self._reminded = None if kept.reminded is None else kept.reminded - self._around.wall(0.0)
        self._around.limits.go_on(self._call, self._draft.source, kept.route)

    def reunite(self, alive: plane.Alive, state: State) -> list[plane.Event]:
        """Give the commands again that got lost with control, and tell the events; see `reunion`."""
        repeat_commands(alive, self._held, self._negotiation.stream, state)
        keep_unrecorded(alive, self._held, paused=self._paused)
        return lost_events(alive, self._held, state)

    # --- setting up -------------------------------------------------------------------------------------------

    def note_caller(self, moment: Moment) -> Seen | None:
        """Who calls whom?"""
        invited: Invited = moment.event
        self._draft.source, self._draft.trunk = invited.flow.remote[0], invited.trunk
        try:
            drop = partial(self._left_out, moment.now)
            who = self._invitation = Invitation.of(invited, self._around.options, drop)
        except PeerError as error:
            return self.refuse(Refusal.of(error), moment.now)
        self._draft.caller, self._draft.called, self._draft.sip_call_id = who.caller, who.called, who.sip_call_id
        self._draft.caller_name, self._draft.headers, self._draft.carried = who.caller_name, who.headers, who.carried
        self._happened(
            Kind.STARTED, moment.now,
            caller=who.caller, called=who.called, source=who.source, trunk=who.trunk, sip_call_id=who.sip_call_id,
            **who.carried.brief(),
        )  # fmt: skip
        return None

    def find_route(self, moment: Moment) -> Seen | None:
        """Where does it go, and may it?"""
        draft = self._draft
        found = self._around.routes.find(
            draft.called, draft.source, draft.trunk,
            caller=self._caller.number, attestation=draft.carried.attestation.level,
        )  # fmt: skip
        if isinstance(found, Cause):
            return self.refuse(Refusal(found, found.status, f"{draft.called} from {draft.source}"), moment.now)
        self._route, draft.route = found.options, found.options.number
        self._targets.take(found)
        return None

    def be_admitted(self, moment: Moment) -> Seen | None:
        """Is it one too many?"""
        around = self._around
        excess = around.limits.admit(self._call, self._draft.source, self._its_route, moment.now)
        if excess is None:
            return None
        return self.refuse(Refusal.of_excess(excess, around.options.retry_after), moment.now)

    def read_offer(self, moment: Moment) -> Seen | None:
        """Can we serve it? Asked before anything is opened."""
        invited: Invited = moment.event
        try:
            flow = invited.flow
            policy = self._around.options.srtp_with(invited.trunk)
            self._negotiation.read(sdp_of(invited.request), flow.remote[0], six=flow.is_six, srtp=policy)
            self._takes_offers = invited.request.supports(RELIABLE)
        except PeerError as error:
            return self.refuse(Refusal.of(error), moment.now)
        return None

    def open_ports(self, moment: Moment) -> None:
        """Ask for RTP ports. From here on the caller waits for the answer."""
        invited: Invited = moment.event
        self._held.start_timer("limit", moment.now + self._its_route.max_ringing)
        self._held.open_ports(invited.flow, six=self._negotiation.six)

    def forget_ports(self, moment: Moment) -> None:
        """None came."""
        self._held.forget_ports()

    def negotiate(self, moment: Moment) -> Seen | None:
        """Make our description with the ports that came, and their session."""
        opened: PortsOpened = moment.event
        self._held.ports_opened()
        try:
            stream = self._negotiation.begin(opened.address, opened.port)
        except PeerError as error:
            return self.refuse(Refusal.of(error), moment.now)
        self._note_stream(stream)
        self._held.create_session(stream)
        return None

    # --- targets ----------------------------------------------------------------------------------------------

    def next_target(self, moment: Moment) -> Seen | None:
        """Try the first target, or the one after that which failed."""
        if moment.seen is Seen.TARGET_FAILED:
            self._drop("target_failed", self._targets.failed(moment.event, moment.now), moment.now)
            if self._targets.remembered(moment.now):
                return Seen.ADVISED
        return self._targets.next(self._facts, self._question(), moment.now)

    def take_advice(self, moment: Moment) -> Seen | None:
        """A hook said who takes the call, or that nobody does."""
        rejection = self._targets.heed(moment.event, moment.now)
        if rejection is None:
            return None
        detail = f"{self._draft.targets[-1].target} says so"
        return self.refuse(Refusal(Cause.REJECTED, rejection.status, detail, said=rejection.reason), moment.now)

    def take_target(self, moment: Moment) -> None:
        """This one has the call."""
        self._targets.ready(moment.now)

    def choose_last_resort(self, moment: Moment) -> Seen:
        """Nobody was there before the answer: do what the route says."""
        last_resort = self._its_route.last_resort
        if last_resort == APOLOGY:
            self.be_sorry(moment)
            return Seen.SORRY
        return self.refuse(Refusal(Cause.BACKEND_FAILED, int(last_resort), "no target left"), moment.now)

    def be_sorry(self, moment: Moment) -> None:
        """The caller will hear an apology."""
        self._sorry = True
        self._held.close_conversation(Cause.BACKEND_FAILED.record)

    def apologise(self, moment: Moment) -> None:
        """Play it."""
        self._held.play(APOLOGY)
        self._held.start_timer("apology", moment.now + APOLOGY_LIMIT)

    # --- the answer -------------------------------------------------------------------------------------------

    def answer(self, moment: Moment) -> None:
        """200 OK, and RTP from here on: it opens NATs."""
        self._held.cancel_timer(EARLY)
        self._held.answer(self._negotiation.body)
        if self._negotiation.agreed:
            self._held.start_session()
            if not self._heard:
                self._held.start_timer("ack", moment.now + ACK_LIMIT)
        self._held.start_timer("limit", moment.now + self._its_route.max_duration)
        self._draft.answered, self._draft.status = moment.now, 200
        self.record_from_answer(moment.now)
        summary = self._draft.summary()
        self._held.log("call answered", summary)
        self._happened(Kind.ANSWERED, moment.now, **summary)

    def hush(self, moment: Moment) -> None:
        """Neither an ACK nor a packet: send next to nothing until one comes, as it may go to who never called."""
        stream = self._negotiation.stream
        if stream is not None:
            self._hushed = True
            self._drop("unconfirmed", f"no RTP to {written(stream.remote)} before the ACK", moment.now)
            self._held.update_session(stream.hushed())

    def _go_on_sending(self) -> None:
        """The far end is there."""
        self._held.cancel_timer("ack")
        if self._hushed:
            self._hushed = False
            self._update(self._negotiation.stream)

    def take_ack(self, moment: Moment) -> Seen | None:
        """The ACK may hold the answer to an offer of ours."""
        confirmed: Confirmed = moment.event
        self._acknowledged = True
        self._go_on_sending()
        self._reoffer.go_on(moment.now)
        first = not self._negotiation.agreed
        try:
            stream = self._negotiation.acknowledged(sdp_of(confirmed.ack))
        except PeerError as error:
            if first:
                return self.refuse(Refusal.of(error), moment.now)
            self._drop("unusable_answer", str(error), moment.now)
            return None
        self._update(stream)
        if first:
            self._held.start_session()
        else:
            self._note_far_hold(moment.now)
        return None

    def await_first_packet(self, moment: Moment) -> Seen | None:
        """A greeting before the caller's first packet may be lost in a NAT; but it is not waited for long."""
        if self._heard:
            return Seen.HEARS
        if not self._held.running("packet"):
            self._held.start_timer("packet", moment.now + self._around.options.first_rtp_wait)
        return None

    def note_packet(self, moment: Moment) -> None:
        """It came, or was waited for long enough."""
        self._heard = True
        self._held.cancel_timer("packet")
        self._go_on_sending()

    def catch_up(self, moment: Moment) -> Seen | None:
        """See what came while a target was being replaced."""
        return Seen.CAUGHT_UP if self._acknowledged else None

    def open(self, moment: Moment) -> Seen | None:
        """The caller hears: start."""
        if self._sorry:
            return Seen.SORRY
        if self._must_announce:
            return Seen.UNANNOUNCED
        self._held.tell(Open())
        self._note_far_hold(moment.now)
        self._set_mute()
        if limit := self._its_route.silence_limit:
            self._held.watch_silence(limit)
        return None

    def remind(self, moment: Moment) -> Seen | None:
        """Nobody speaks: ask the caller once; who says nothing to that is gone."""
        event: plane.NobodySpeaks = moment.event
        if self.held_by or self._held.prompt:
            return None  # it crossed what has begun since
        if self._reminded is not None and moment.now - event.caller_seconds <= self._reminded:
            return Seen.SILENT_TOO_LONG
        self._reminded = moment.now
        self._happened(Kind.SILENCE, moment.now, seconds=event.seconds)
        route = self._its_route
        if route.silence_say:
            self._held.tell(Say(route.silence_say))
        elif route.silence_prompt:
            self._play(route.silence_prompt, moment.now)
        return None

    # --- re-INVITE --------------------------------------------------------------------------------------------

    def renegotiate(self, moment: Moment) -> None:
        """Answer a re-INVITE; one that cannot be served leaves the call as it was (RFC 3261 section 14.2)."""
        self._renegotiate(moment, self._negotiation.reinvited, "reinvite_refused")

    def refuse_reinvite(self, moment: Moment) -> None:
        """It crossed our BYE."""
        self._held.refuse_offer(481)

    # --- the end ----------------------------------------------------------------------------------------------

    def forget_leg(self, moment: Moment) -> None:
        """The SIP agent let go of it."""
        self._held.forget_leg()

    def forget_session(self, moment: Moment) -> None:
        """The media plane lost it."""
        self._held.forget_session()

    def give_ports_back(self, moment: Moment) -> None:
        """They came too late."""
        self._held.ports_opened()
        self._held.give_ports_back()

    def keep_stats(self, moment: Moment) -> None:
        """The session's last counters."""
        ended: plane.SessionEnded = moment.event
        self._draft.stats = ended.stats
        self._held.forget_session()

    def end(self, moment: Moment) -> Seen | None:
        """Note why, tell the far ends, let go of everything."""
        draft = self._draft
        refusal = self._account(moment)
        draft.ended = moment.now
        if draft.answered is None:
            draft.status = refusal.status if self._held.leg is Leg.ASKING else Cause.CANCELLED.status
        self._held.leave(draft.cause, refusal.status, refusal.phrase, (*refusal.headers, *self._retry_after()))
        self._held.let_go(draft.cause.record)
        self._held.start_timer("ending", moment.now + (RECORDING_LIMIT if self._held.recordings else ENDING_LIMIT))
        return self.settle(moment)

    def settle(self, moment: Moment) -> Seen | None:
        """Is there anything left to be waited for?"""
        return Seen.SETTLED if self._held.settled else None

    def finish(self, moment: Moment) -> None:
        """Write the record."""
        record = self._draft.finish(moment.now)
        self._held.finish(record)
        self._happened(Kind.ENDED, moment.now, **record.summary())

    # --- what they need ---------------------------------------------------------------------------------------

    @property
    def _caller(self) -> Invitation:
        assert self._invitation is not None, "a call with ports has a caller"
        return self._invitation

    def _facts(self, variables: dict[str, str], instructions: str) -> CallFacts:
        started = self._around.wall(self._draft.started)
        return self._caller.facts(self._call, self._negotiation.codec, started, variables, instructions)

    def _question(self) -> Question:
        draft = self._draft
        return self._caller.question(self._call, draft.node, draft.route, self._around.wall(draft.started))

    def _account(self, moment: Moment) -> Refusal:
        """Note in the draft why the call ends and by whom; returns how to say so where it was not answered."""
        draft = self._draft
        if moment.seen is Seen.REFUSED and self._refusal is not None:
            draft.cause, draft.hung_up_by, draft.reason = self._refusal.cause, GATEWAY, self._refusal.detail
            return self._refusal
        draft.cause, draft.hung_up_by = ending(moment.seen, draft.answered is not None)
        draft.reason = reason(moment.event)
        return Refusal(draft.cause, draft.cause.status)

    def _retry_after(self) -> do.Headers:
        if self._draft.cause not in RETRY_LATER:
            return ()
        return (("Retry-After", str(self._around.options.retry_after)),)


DEEDS: dict[str, Callable[[Deeds, Moment], Seen | None]] = {
    name: getattr(Deeds, name) for name in {name for _, names in TABLE.values() for name in names}
}
"""The table's words. Made once, so that a word without a deed does not wait for a call to be noticed."""
