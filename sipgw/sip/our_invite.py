"""An INVITE or re-INVITE of ours, from its sending to the last of its responses (RFC 3261 13.2, 14.1)."""

from collections.abc import Callable, Sequence
from functools import partial

from sipgw.flow import Flow
from sipgw.sip.attempts import Attempts, Make
from sipgw.sip.body import describes
from sipgw.sip.bye import end_fork, give_up, send_bye
from sipgw.sip.client_transaction import ClientUser, cancel_of
from sipgw.sip.core import Core
from sipgw.sip.dialog import Dialog
from sipgw.sip.events import Answered, EarlyEnded, Lost, Progressed, Refused, Released
from sipgw.sip.leg import Extra, Leg, Stage, allowed
from sipgw.sip.message import Request, Response
from sipgw.sip.prack import Early
from sipgw.sip.timers import Timer

_PROOFS = ("Authorization", "Proxy-Authorization")


class OurInvite:
    """One INVITE of ours on a leg, sent on creation. It outlives the leg: every 2xx wants an ACK."""

    def __init__(
        self,
        core: Core,
        leg: Leg,
        make: Make,
        flows: Sequence[Flow],
        count: Callable[[], int],
        now: float,
        *,
        refresh: bool = False,
    ) -> None:
        self._core = core
        self._leg = leg
        self._initial = leg.stage is Stage.ASKING
        self._refresh = refresh
        """It only says that we are still there: the layer above does not know of it."""
        self._give_up_timer: Timer | None = None
        self._early = Early(core, leg)
        self._acks: dict[str, tuple[bytes, Flow]] = {}
        self._offered: Dialog | None = None
        """That of a 2xx with an offer, whose ACK waits for our answer."""
        leg.ours = self
        self._attempts = Attempts(
            core, make, flows, count, ClientUser(self._responded, self._failed), now,
            leg.answers, core.timer_of(leg).too_small,
        )  # fmt: skip

    @property
    def request(self) -> Request:
        """The INVITE as it was sent last."""
        return self._attempts.request

    @property
    def dialogs(self) -> tuple[Dialog, ...]:
        """The early dialogs with phones that said something."""
        return self._early.all

    def cancel(self, now: float) -> None:
        """Take it back; before a provisional response that has to wait (RFC 3261 9.1)."""
        self._attempts.no_more()
        if not self._attempts.progressed or self._leg.farewell is None or self._give_up_timer is not None:
            return
        request = cancel_of(self.request, self._leg.farewell)
        self._core.exchange.request(request, self._attempts.flow, ClientUser(lambda *_: None, lambda *_: None), now)
        self._limit(now)

    def agreed(self, phone: str) -> bool:
        """Whether offer and answer are complete with the phone of that tag, before its final response."""
        return self._early.agreed(phone)

    def acknowledge(self, body: bytes, now: float, phone: str = "") -> bool:
        """Answer the offer in a 2xx, or in a provisional response of the phone of that tag; whether there was one."""
        dialog, self._offered = self._offered, None
        if dialog is None:
            return self._early.acknowledge(phone, body, now)
        self._leg.description = body or self._leg.description
        self._acknowledge(dialog, dialog.remote_tag, now, body)
        self._settle()
        return True

    def let_go(self, now: float) -> None:
        """The leg ends: a 2xx that waits gets its ACK, with nothing in it."""
        if self._offered is not None:
            self.acknowledge(b"", now)

    def _responded(self, response: Response, now: float) -> None:
        if response.status < 200:
            self._provisional(response, now)
        elif response.status < 300:
            self._success(response, now)
        else:
            self._settle()
            self._refused(response.status, response, now)

    def answered_late(self, response: Response, now: float) -> None:
        """A 2xx came after we had given up: nobody wants its dialog."""
        tag = response.to.tag or ""
        if tag in self._acks:
            self._core.exchange.send(*self._acks[tag], now)
            return
        dialog = self._confirmed(response)
        self._acknowledge(dialog, tag, now)
        end_fork(self._core, self._leg, dialog, now)

    def _failed(self, status: int, now: float) -> None:
        self._settle()
        if self._initial and status == 408:
            self._core.abandoned.add(self)
        self._refused(status, None, now)

    def _provisional(self, response: Response, now: float) -> None:
        leg = self._leg
        if not self._initial:
            if self._give_up_timer is None:
                # Nobody rings for a re-INVITE; unlimited, it would block the leg's next one for ever.
                self._limit(now)
        elif leg.farewell is not None:
            self.cancel(now)
        elif response.status > 100 and self._early.heard(self.request, response, self._attempts.flow, now):
            phone = response.to.tag or ""
            if response.status == 199:
                self._early_ended(phone, response, now)
                return
            leg.dialog = leg.dialog or self._early.dialog(phone)
            self._core.tell(Progressed(leg.name, response, phone, self._early.offers(phone)))

    def _early_ended(self, phone: str, response: Response, now: float) -> None:
        """One of the phones rings no longer (RFC 6228 section 5)."""
        leg = self._leg
        self._early.forget(phone)
        if leg.dialog is not None and leg.dialog.remote_tag == phone:
            leg.dialog = self._early.first
        self._core.tell(EarlyEnded(leg.name, phone, response))

    def _success(self, response: Response, now: float) -> None:
        tag, first = response.to.tag or "", not self._acks and self._offered is None
        if tag in self._acks:
            self._core.exchange.send(*self._acks[tag], now)
            return
        if self._offered is not None and self._offered.remote_tag == tag:
            return  # a repeat, as we have yet to answer
        leg, core = self._leg, self._core
        offers = first and self._offers(tag, response)
        core.timer_of(leg).answered(response, now)
        leg.allows = allowed(response) or leg.allows
        leg.description = self.request.body or leg.description
        if self._initial:
            dialog = self._confirmed(response)
        else:
            assert leg.dialog is not None, "a re-INVITE has a dialog"
            dialog = leg.dialog
            dialog.refresh(response)
            core.changed(leg.name)
        if offers:
            self._offered = dialog
        else:
            self._acknowledge(dialog, tag, now)
        self._settle()
        if self._initial:
            self._established(dialog, response, now, first=first)
        elif leg.stage is Stage.UP and not self._refresh:
            core.tell(Answered(leg.name, response, offers))

    def _offers(self, tag: str, response: Response) -> bool:
        """Whether a 2xx has an offer that somebody is going to answer."""
        leg = self._leg
        if self.request.body or self._refresh or leg.farewell is not None:
            return False
        return leg.stage in (Stage.ASKING, Stage.UP) and describes(response) and not self._early.agreed(tag)

    def _confirmed(self, response: Response) -> Dialog:
        """The dialog of a 2xx; its numbers go on from those of the early one (RFC 3261 13.2.2.4)."""
        dialog = Dialog.of_response(self.request, response, self._attempts.flow)
        early = self._early.dialog(response.to.tag or "")
        if early is not None:
            dialog.local_cseq, dialog.remote_cseq = early.local_cseq, early.remote_cseq
        return dialog

    def _acknowledge(self, dialog: Dialog, tag: str, now: float, body: bytes = b"") -> None:
        flow = self._core.hop(dialog)
        # It has the credentials of its INVITE, as nobody can ask for them (RFC 3261 22.1).
        proofs = tuple((name, value) for name in _PROOFS for value in self.request.headers.all(name))
        ack = self._core.within(dialog, "ACK", flow, self.request.cseq.number, proofs, body)
        self._acks[tag] = bytes(ack), flow
        self._core.exchange.send(*self._acks[tag], now)

    def _established(self, dialog: Dialog, response: Response, now: float, *, first: bool) -> None:
        leg = self._leg
        if not first or leg.stage is not Stage.ASKING:
            end_fork(self._core, leg, dialog, now)
            return
        leg.dialog, leg.stage, leg.request, leg.redirecting = dialog, Stage.UP, None, None
        self._core.changed(leg.name)
        if leg.farewell is not None:
            # It crossed our CANCEL, or came before we could send one (RFC 3261 9.1).
            send_bye(self._core, leg, now, leg.farewell)
        else:
            self._core.tell(Answered(leg.name, response, self._offered is dialog))

    def _refused(self, status: int, response: Response | None, now: float) -> None:
        leg, core = self._leg, self._core
        if self._initial:
            farewell = leg.farewell is not None
            if not farewell and leg.redirecting is not None and leg.redirecting.refused(status, response, now):
                return
            core.finish(leg, now, Released(leg.name) if farewell else Refused(leg.name, status, response))
        elif leg.stage is not Stage.UP:
            return
        elif status == 481:
            core.finish(leg, now, Lost(leg.name, "gone"))
        elif status == 408:
            # The dialog is to be ended as well (RFC 3261 12.2.1.2), but the peer may still have it.
            give_up(core, leg, "gone", now)
        elif self._refresh:
            core.timer_of(leg).retry(now)
        else:
            core.tell(Refused(leg.name, status, response, initial=False))

    def _limit(self, now: float) -> None:
        self._give_up_timer = self._core.exchange.timers.start(now + 64 * self._core.options.t1, self._give_up)

    def _give_up(self, now: float) -> None:
        """No final response came after our CANCEL (RFC 3261 9.1), or to a re-INVITE that had a provisional one."""
        self._attempts.client.end(now)
        self._failed(408, now)

    def _settle(self) -> None:
        """There was a final response; the INVITE is over, unless it has yet to be acknowledged."""
        self._core.exchange.timers.stop(self._give_up_timer)
        if self._leg.ours is self and self._offered is None:
            self._leg.ours = None


def reinvite(core: Core, leg: Leg, body: bytes, now: float, headers: Extra = ()) -> None:
    """Offer anew within a confirmed leg. While another INVITE is pending that is refused with 491 at once (14.1)."""
    if leg.stage is not Stage.UP or leg.dialog is None:
        core.drop("late_command", now, "reinvite", leg.name)
    elif leg.ours is not None or leg.theirs is not None or leg.offer is not None or leg.updating:
        core.tell(Refused(leg.name, 491, None, initial=False))
    else:
        dialog = leg.dialog

        def make(flow: Flow, number: int, extra: Extra) -> Request:
            more = (*headers, *core.timer_of(leg).request_headers(), *extra)
            return core.within(dialog, "INVITE", flow, number, core.capable(flow, more, secure=dialog.secure), body)

        OurInvite(core, leg, make, (core.hop(dialog),), partial(core.count, dialog), now)


def acknowledge(core: Core, leg: Leg, body: bytes, now: float, phone: str) -> None:
    """Answer an offer that came in a response to our INVITE without one."""
    if leg.ours is None or not leg.ours.acknowledge(body, now, phone):
        core.drop("late_command", now, "acknowledge", leg.name)
