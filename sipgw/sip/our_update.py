"""An UPDATE of ours: an offer, or word that we are still there (RFC 3311, RFC 4028 section 7.4)."""

from functools import partial

from sipgw.flow import Flow
from sipgw.sip.attempts import Attempts
from sipgw.sip.bye import give_up
from sipgw.sip.client_transaction import ClientUser
from sipgw.sip.core import Core
from sipgw.sip.events import Answered, Refused
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request, Response


def send(core: Core, leg: Leg, body: bytes, now: float, headers: Extra, user: ClientUser) -> None:
    """Send an UPDATE; `user` hears what came of it, once a 2xx has been taken in."""
    dialog, timer, up = leg.dialog, core.timer_of(leg), leg.stage is Stage.UP
    assert dialog is not None, "only a leg with a dialog is updated"

    def make(flow: Flow, number: int, extra: Extra) -> Request:
        timed = timer.request_headers() if up else ()
        rows = core.capable(flow, (*headers, *timed, *extra), secure=dialog.secure)
        return core.within(dialog, "UPDATE", flow, number, rows, body)

    def answered(response: Response, now: float) -> None:
        if response.status < 200:
            return
        if response.status < 300:
            dialog.refresh(response)
            if up:
                timer.answered(response, now)
        elif response.status in (405, 501):
            leg.allows -= {"UPDATE"}
        user.response(response, now)

    Attempts(
        core, make, (core.hop(dialog),), partial(core.count, dialog), ClientUser(answered, user.failed), now,
        leg.answers, timer.too_small,
    )  # fmt: skip


def offer(core: Core, leg: Leg, body: bytes, now: float, headers: Extra) -> None:
    """Offer anew. While another offer is without its answer that is refused with 491 at once (section 5.1)."""
    if leg.dialog is None or leg.stage in (Stage.ENDING, Stage.GONE) or leg.farewell is not None:
        core.drop("late_command", now, "update", leg.name)
        return
    if _pending(leg):
        core.tell(Refused(leg.name, 491, None, initial=False))
        return

    def answered(response: Response, now: float) -> None:
        leg.updating = False
        if leg.stage in (Stage.ENDING, Stage.GONE):
            return
        if response.status < 300:
            leg.description = body
            core.changed(leg.name)
            core.tell(Answered(leg.name, response))
        else:
            refused(response.status, now, response)

    def refused(status: int, now: float, response: Response | None = None) -> None:
        leg.updating = False
        if leg.stage is Stage.UP and status in (408, 481):
            give_up(core, leg, "gone", now)  # the dialog is to be ended as well (RFC 3261 12.2.1.2)
        elif leg.stage not in (Stage.ENDING, Stage.GONE):
            core.tell(Refused(leg.name, status, response, initial=False))

    leg.updating = True
    send(core, leg, body, now, headers, ClientUser(answered, refused))


def _pending(leg: Leg) -> bool:
    """Whether an offer of either side has no answer yet, or none that is certain."""
    if leg.updating or leg.offer is not None:
        return True
    if leg.stage is Stage.UP:
        return leg.ours is not None or leg.theirs is not None
    if leg.stage is Stage.ASKED:
        return leg.theirs is None or not leg.theirs.agreed
    return leg.ours is None or leg.dialog is None or not leg.ours.agreed(leg.dialog.remote_tag)
