"""An INVITE or re-INVITE of the peer's, from its arrival to its ACK (RFC 3261 13.3, 14.2)."""

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.sip.bye import abandon, send_bye
from sipgw.sip.core import Core
from sipgw.sip.dialog import Dialog
from sipgw.sip.events import Cancelled, Confirmed, Invited, Lost, Reinvited, Released
from sipgw.sip.leg import Extra, Leg, Stage, allowed
from sipgw.sip.message import Request, Response
from sipgw.sip.paths import asks_for_sips
from sipgw.sip.reason import SIP, reason
from sipgw.sip.reliable import OPTION, RAck, Reliable
from sipgw.sip.replaces import to_be_replaced
from sipgw.sip.server_transaction import InviteServer
from sipgw.sip.timers import Timer
from sipgw.sip.transaction import State
from sipgw.sip.trust import Verdict

_NO_ACK = (reason(SIP, 408, "no ACK came"),)
_FIRST_RSEQ = 2**31 - 2
"""The first RSeq is at most one more (RFC 3262 section 3)."""

_NOBODY_THERE = frozenset({403, 404, 484, 604})
"""What those get who try out numbers."""


class TheirInvite:
    """One INVITE of the peer's on a leg."""

    def __init__(self, core: Core, leg: Leg, request: Request, server: InviteServer) -> None:
        self.request = request
        self.server = server
        server.owner = leg.name
        self._core = core
        self._leg = leg
        self._answer: Response | None = None
        self._interval = core.options.t1
        self._repeat_timer: Timer | None = None
        self._give_up_timer: Timer | None = None
        self._reliable = Reliable(
            core.options, core.exchange.timers, core.spread(_FIRST_RSEQ) + 1, server.respond, self._not_heard
        )
        self.agreed = False
        """Offer and answer are complete before the final response, which then repeats neither (RFC 6337 3.1.1)."""
        self.held_answer: tuple[bytes, Extra] | None = None
        """A 2xx that must wait for the PRACK of a response before it."""

    @property
    def waits(self) -> bool:
        """Whether it has no final response yet."""
        return self.server.state is State.PROCEEDING

    @property
    def unacknowledged(self) -> tuple[Request, Response] | None:
        """The INVITE and our 2xx to it; None where there is none, or its ACK came."""
        return None if self._answer is None else (self.request, self._answer)

    def respond(self, status: int, now: float, reason: str = "", headers: Extra = (), body: bytes = b"") -> Response:
        """Send a response."""
        if 100 < status < 300:
            headers = self._core.capable(self.server.flow, headers, secure=asks_for_sips(self.request))
        sequence = self._reliable.number() if self._is_reliable(status, body) else None
        if sequence is not None:
            headers = (*headers, ("Require", OPTION), ("RSeq", str(sequence)))
        response = self._core.respond(
            self.request, status, to_tag=self._leg.name, reason=reason, headers=headers, body=body
        )
        if sequence is not None:
            self._reliable.send(sequence, response, now)
        else:
            self.server.respond(response, now)
        if status >= 200 and (waiting := self._reliable.settle()) is not None:
            self._leg.late = RAck(waiting, self.request.cseq.number, "INVITE")
        return response

    @property
    def must_wait(self) -> bool:
        """Whether no 2xx may leave yet (RFC 3262 section 5)."""
        return self._reliable.describes

    @property
    def offers(self) -> bool:
        """Whether an offer of ours in a provisional response waits for the answer in its PRACK."""
        return self.must_wait and not self.request.body and not self.agreed

    def provisionally_acknowledged(self, rack: RAck, now: float) -> Response | None:
        """Take a PRACK; the response that waited for it, None where it is for none."""
        cseq = self.request.cseq
        ours = (rack.cseq, rack.method.upper()) == (cseq.number, "INVITE")
        return self._reliable.acknowledged(rack, now) if ours else None

    def _is_reliable(self, status: int, body: bytes) -> bool:
        """Where the peer insists; and where it would miss something: with a description it hears early media."""
        if not 100 < status < 200:
            return False
        required = any(tag.lower() == OPTION for tag in self.request.require)
        return required or (bool(body) and self.request.supports(OPTION))

    def _not_heard(self, now: float) -> None:
        """No PRACK came (RFC 3262 section 3)."""
        leg, core = self._leg, self._core
        core.drop("no_prack", now, leg=leg.name)
        self.respond(504, now)
        self.settle()
        if leg.stage is Stage.ASKED:
            core.finish(leg, now, Lost(leg.name, "no_prack"))

    def accept(self, body: bytes, now: float, headers: Extra) -> None:
        """Send 200, and again until the ACK comes, on any transport (RFC 3261 13.3.1.4)."""
        self._answer = self.respond(200, now, headers=headers, body=b"" if self.agreed else body)
        self._await_ack(now)

    def repeat_answer(self, answer: Response, now: float) -> None:
        """Send the 2xx of a process that is gone again, until the ACK comes."""
        self._answer = answer
        self.server.respond(answer, now)
        self._await_ack(now)

    def acknowledged(self, ack: Request) -> bool:
        """Whether `ack` is the one that was waited for."""
        if self._answer is None or ack.cseq.number != self.request.cseq.number:
            return False
        self._core.exchange.half_open.settle(self.server.key)
        self.settle()
        return True

    def abandon(self, now: float) -> None:
        """The dialog ends: 487 where no final response was sent, no more repeats where one was."""
        if self.waits:
            self.respond(487, now)
        self.settle()

    def settle(self) -> None:
        """Nothing is left to be done."""
        timers = self._core.exchange.timers
        timers.stop(self._repeat_timer)
        timers.stop(self._give_up_timer)
        self._reliable.settle()
        if self._leg.theirs is self:
            self._leg.theirs = None

    def _await_ack(self, now: float) -> None:
        timers = self._core.exchange.timers
        self._give_up_timer = timers.start(now + 64 * self._core.options.t1, self._give_up)
        self._repeat_timer = timers.start(now + self._interval, self._repeat)

    def _repeat(self, now: float) -> None:
        assert self._answer is not None, "only an answer is repeated"
        self.server.respond(self._answer, now)
        self._interval = min(2 * self._interval, self._core.options.t2)
        self._repeat_timer = self._core.exchange.timers.start(now + self._interval, self._repeat)

    def _give_up(self, now: float) -> None:
        leg, core = self._leg, self._core
        self.settle()
        core.defence.offence("no_ack", leg.flow, now)
        if leg.farewell is None:
            leg.told = True
            core.tell(Lost(leg.name, "no_ack"))
        send_bye(core, leg, now, leg.farewell or _NO_ACK)


def receive_invite(
    core: Core, request: Request, server: InviteServer, source: Flow, verdict: Verdict, now: float
) -> None:
    """A new call (RFC 3261 13.3.1), or one that is to take the place of another."""
    replaces = to_be_replaced(core, request, source, verdict)
    leg = Leg(core.new_name(), source, Stage.ASKED, request, trunk=verdict.trunk)
    leg.dialog = Dialog.of_request(request, source, leg.name, verdict.nat)
    leg.theirs = TheirInvite(core, leg, request, server)
    leg.allows = allowed(request)
    core.timer_of(leg).asked(request)
    core.legs[leg.name] = leg
    server.respond(core.respond(request, 100), now)
    leg.answers = core.answers(verdict.credentials)
    core.tell(Invited(leg.name, request, source, verdict.trunk, verdict.identity, replaces))


def receive_reinvite(core: Core, leg: Leg, request: Request, server: InviteServer, now: float) -> None:
    """A re-INVITE; one at a time, and not while ours is out (RFC 3261 14.2).

    While the ACK of an earlier one is still out, its offer or answer may be unsettled (RFC 5407 3.1.4): 491 as well.
    """
    if leg.ours is not None or leg.updating or (leg.theirs is not None and not leg.theirs.waits):
        raise PeerError(491)
    if leg.theirs is not None or leg.offer is not None:
        raise PeerError(500, "", (("Retry-After", str(core.spread(10))),))
    if leg.stage is not Stage.UP:
        raise PeerError(481)
    core.timer_of(leg).asked(request)
    leg.allows = allowed(request) or leg.allows
    leg.theirs = TheirInvite(core, leg, request, server)
    server.respond(core.respond(request, 100), now)
    core.tell(Reinvited(leg.name, request))


def acknowledged(core: Core, ack: Request, now: float) -> None:
    """The ACK of a 2xx of ours."""
    leg = core.leg_of(ack)
    if leg is None:
        core.drop("stray_ack", now, ack.call_id)
        return
    theirs = leg.theirs
    if theirs is None or not theirs.acknowledged(ack):
        core.drop("repeated_ack", now, leg=leg.name)
        return
    core.changed(leg.name)
    if leg.farewell is not None:
        send_bye(core, leg, now, leg.farewell)
    else:
        core.tell(Confirmed(leg.name, ack))


def receive_cancel(core: Core, leg: Leg, request: Request, now: float) -> None:
    """The peer takes its INVITE back (RFC 3261 9.2). Once there was a final response that changes nothing."""
    theirs = leg.theirs
    if theirs is None or not theirs.waits:
        core.drop("late_cancel", now, leg=leg.name)
        return
    abandon(leg, now)
    if leg.stage is Stage.ASKED:
        core.finish(leg, now, Cancelled(leg.name, request))


def ring(core: Core, leg: Leg, now: float, status: int, body: bytes, headers: Extra) -> None:
    """Send a provisional response."""
    if leg.theirs is None or not leg.theirs.waits:
        core.drop("late_command", now, f"ring {status}", leg.name)
        return
    leg.theirs.respond(status, now, headers=headers, body=body)


def answer(core: Core, leg: Leg, body: bytes, now: float, headers: Extra) -> None:
    """Accept the INVITE or re-INVITE that waits."""
    theirs, dialog = leg.theirs, leg.dialog
    if theirs is None or dialog is None or not theirs.waits:
        core.drop("late_command", now, "answer", leg.name)
        return
    if theirs.must_wait or leg.offer is not None:
        theirs.held_answer = body, headers
        return
    if leg.stage is Stage.UP:
        dialog.refresh(theirs.request)
    leg.stage, dialog.confirmed, leg.request = Stage.UP, True, None
    leg.description = body or leg.description
    theirs.accept(body, now, (*headers, *core.timer_of(leg).accept(now)))
    core.changed(leg.name)


def accept_at_last(core: Core, leg: Leg, now: float) -> None:
    """Send the 2xx that had to wait for a PRACK, where there is one and it need not wait for anything else."""
    theirs = leg.theirs
    if theirs is not None and theirs.held_answer is not None and not theirs.must_wait and leg.offer is None:
        body, headers = theirs.held_answer
        theirs.held_answer = None
        answer(core, leg, body, now, headers)


def withdraw(core: Core, leg: Leg, now: float) -> bool:
    """Take back a 2xx that still waits for a PRACK; whether there was one."""
    theirs = leg.theirs
    if theirs is None or theirs.held_answer is None:
        return False
    theirs.respond(480, now)
    theirs.settle()
    core.finish(leg, now, Released(leg.name))
    return True


def refuse(core: Core, leg: Leg, status: int, now: float, reason: str, headers: Extra) -> None:
    """Refuse the INVITE, which ends the leg, or the re-INVITE, which does not."""
    if leg.theirs is None or not leg.theirs.waits:
        core.drop("late_command", now, f"refuse {status}", leg.name)
        return
    leg.theirs.respond(status, now, reason, headers)
    leg.theirs.settle()
    if leg.stage is Stage.ASKED:
        if status in _NOBODY_THERE:
            core.defence.offence("unknown_number", leg.flow, now)
        core.finish(leg, now)
