"""Keeps a call's session alive: refreshes of ours, by UPDATE where the peer takes it, and the end where nobody came."""

from sipgw.flow import Flow
from sipgw.sip import our_update
from sipgw.sip.bye import give_up
from sipgw.sip.client_transaction import ClientUser
from sipgw.sip.core import Core
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request, Response
from sipgw.sip.our_invite import OurInvite
from sipgw.sip.reason import SIP, reason

_EXPIRED = (reason(SIP, 408, "session expired"),)


def refresh(core: Core, leg: Leg, now: float) -> None:
    """Say that we are still there."""
    timer = core.timer_of(leg)
    if leg.stage is not Stage.UP or leg.dialog is None:
        return
    if leg.ours is not None or leg.theirs is not None or leg.offer is not None or leg.updating:
        timer.retry(now)
    elif "UPDATE" in leg.allows:
        _update(core, leg, now)
    else:
        _reinvite(core, leg, now)


def _update(core: Core, leg: Leg, now: float) -> None:
    timer = core.timer_of(leg)

    def answered(response: Response, now: float) -> None:
        if response.status in (405, 501):
            timer.retry(now, 0.0)
        elif response.status >= 300:
            _refused(core, leg, response.status, now)

    def failed(status: int, now: float) -> None:
        _refused(core, leg, status, now)

    our_update.send(core, leg, b"", now, (), ClientUser(answered, failed))


def _reinvite(core: Core, leg: Leg, now: float) -> None:
    """The same description again, by its o= line: nothing is negotiated (RFC 4028 section 7.4)."""
    dialog, timer = leg.dialog, core.timer_of(leg)
    assert dialog is not None, "a leg that is up has a dialog"

    def make(flow: Flow, number: int, extra: Extra) -> Request:
        headers = core.capable(flow, (*timer.request_headers(), *extra), secure=dialog.secure)
        return core.within(dialog, "INVITE", flow, number, headers, leg.description)

    OurInvite(core, leg, make, (core.hop(dialog),), lambda: core.count(dialog), now, refresh=True)


def _refused(core: Core, leg: Leg, status: int, now: float) -> None:
    if leg.stage is not Stage.UP:
        return
    if status in (408, 481):
        give_up(core, leg, "gone", now)
    else:
        core.timer_of(leg).retry(now)


def expire(core: Core, leg: Leg, now: float) -> None:
    """The far end did not say in time that it is still there (section 10)."""
    if leg.stage is not Stage.UP or leg.dialog is None:
        return
    give_up(core, leg, "session_expired", now, _EXPIRED)
