"""Ending a call: our CANCEL or BYE, and their BYE (RFC 3261 sections 9.1 and 15)."""

from functools import partial

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.sip.attempts import Attempts
from sipgw.sip.client_transaction import ClientUser
from sipgw.sip.core import Core
from sipgw.sip.credentials import Answers
from sipgw.sip.dialog import Dialog
from sipgw.sip.events import HungUp, Lost, Released
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request, Response
from sipgw.sip.reason import SIP, reason
from sipgw.sip.server_transaction import ServerTransaction

_ELSEWHERE = (reason(SIP, 200, "Call completed elsewhere"),)
"""RFC 3326 section 3.1."""


def hang_up(core: Core, leg: Leg, now: float, headers: Extra) -> None:
    """End the leg as its stage asks for: CANCEL, BYE, or either as soon as it is allowed."""
    if leg.stage in (Stage.ENDING, Stage.GONE) or leg.farewell is not None:
        core.drop("late_command", now, "hang_up", leg.name)
    elif leg.stage is Stage.ASKING:
        leg.farewell = headers
        if leg.ours is not None:
            leg.ours.cancel(now)
        elif leg.redirecting is not None:
            leg.redirecting.stop()
            core.finish(leg, now, Released(leg.name))
    elif leg.theirs is not None and not leg.theirs.waits:
        # A callee says BYE only after the ACK, or when it has given up waiting (RFC 3261 15).
        leg.farewell = headers
    else:
        send_bye(core, leg, now, headers)


def send_bye(core: Core, leg: Leg, now: float, headers: Extra = ()) -> None:
    """End a confirmed leg; it stays until the BYE has its response, so that one of theirs crossing it is answered."""
    assert leg.dialog is not None, "only a leg with a dialog is ended with a BYE"
    leg.stage = Stage.ENDING
    if leg.ours is not None:
        leg.ours.let_go(now)
    abandon(leg, now)

    def answered(response: Response, now: float) -> None:
        if response.status >= 200:
            core.finish(leg, now, Released(leg.name))

    def failed(status: int, now: float) -> None:
        core.finish(leg, now, Lost(leg.name, "no_answer_to_bye"))

    _say_bye(core, leg.dialog, headers, ClientUser(answered, failed), now, leg.answers)


def give_up(core: Core, leg: Leg, reason: str, now: float, headers: Extra = ()) -> None:
    """The far end is not there any more, for all we know: `Lost` is told at once, and a BYE sent in case it is."""
    leg.told = True
    core.tell(Lost(leg.name, reason))
    send_bye(core, leg, now, headers)


def end_fork(core: Core, leg: Leg, dialog: Dialog, now: float) -> None:
    """End a dialog that nobody wants: another phone has the call, or it is over (RFC 3261 13.2.2.4)."""
    why = _ELSEWHERE if leg.stage is Stage.UP else leg.farewell or ()
    _say_bye(core, dialog, why, ClientUser(lambda *_: None, lambda *_: None), now, leg.answers)


def _say_bye(core: Core, dialog: Dialog, headers: Extra, user: ClientUser, now: float, answers: Answers | None) -> None:
    def make(flow: Flow, number: int, extra: Extra) -> Request:
        return core.within(dialog, "BYE", flow, number, (*headers, *extra))

    Attempts(core, make, (core.hop(dialog),), partial(core.count, dialog), user, now, answers)


def abandon(leg: Leg, now: float) -> None:
    """The leg ends: what of theirs still waits for an answer gets 487."""
    for waiting in (leg.offer, leg.theirs):
        if waiting is not None:
            waiting.abandon(now)


def receive_bye(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    """Their BYE. An INVITE of theirs that still waits gets 487 (RFC 3261 15.1.2)."""
    if leg.stage is Stage.ASKING:
        # A callee may not end an early dialog with a BYE (RFC 3261 15).
        raise PeerError(481)
    server.respond(core.respond(request, 200), now)
    if leg.stage is Stage.ENDING:
        return
    abandon(leg, now)
    core.finish(leg, now, HungUp(leg.name, request))
