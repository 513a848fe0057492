"""Server transactions: INVITE (RFC 3261 17.2.1, RFC 6026 section 7.1) and all others (17.2.2)."""

from collections.abc import Callable
from typing import ClassVar

from sipgw.flow import Flow
from sipgw.sip.message import Request, Response
from sipgw.sip.transaction import Ground, Key, Seen, State, Table, Transaction, kind_of
from sipgw.trace import Mark

TRYING, PROCEEDING, ACCEPTED = State.TRYING, State.PROCEEDING, State.ACCEPTED
COMPLETED, CONFIRMED, TERMINATED = State.COMPLETED, State.CONFIRMED, State.TERMINATED


class ServerTransaction(Transaction):
    """What both server transactions do."""

    def __init__(self, key: Key, request: Request, flow: Flow, ground: Ground) -> None:
        super().__init__(key, request, flow, ground)
        self._last: Response | None = None
        self._data = b""

    @property
    def to_tag(self) -> str:
        """The To tag of the last response; an ACK by RFC 2543 is recognised by it."""
        return (self._last.to.tag or "") if self._last is not None else ""

    def respond(self, response: Response, now: float) -> None:
        """Send `response`, if the state allows it."""
        self.see(kind_of(response), now, response)

    def repeat(self, now: float) -> None:
        """The request came again."""
        self.see(Seen.REPEAT, now)

    def send(self, now: float, response: Response) -> None:
        """Send and keep it for repeats."""
        self._last, self._data = response, bytes(response)
        self._send(self._data, now)

    def resend(self, now: float, _: object = None) -> None:
        """Send the last response again."""
        if self._data:
            self._send(self._data, now)

    def report_transport(self, now: float, _: object = None) -> None:
        """A response could not be delivered; the peer's repeats or its silence decide what becomes of it."""
        self._note(Mark.DROP, "response_not_delivered", now)


class InviteServer(ServerTransaction):
    """An INVITE of a peer's.

    Args:
        acknowledged: gets an ACK that came with the INVITE's own branch after a 2xx (RFC 6026 section 7.1).
    """

    FIRST = PROCEEDING
    TABLE: ClassVar[Table] = {
        (PROCEEDING, Seen.REPEAT): (PROCEEDING, ("resend",)),
        (PROCEEDING, Seen.PROVISIONAL): (PROCEEDING, ("send",)),
        (PROCEEDING, Seen.SUCCESS): (ACCEPTED, ("send", "start_l")),
        (PROCEEDING, Seen.FAILURE): (COMPLETED, ("send", "start_g", "start_h")),
        (PROCEEDING, Seen.TRANSPORT_FAILED): (PROCEEDING, ("report_transport",)),
        (ACCEPTED, Seen.REPEAT): (ACCEPTED, ()),
        (ACCEPTED, Seen.SUCCESS): (ACCEPTED, ("send",)),
        (ACCEPTED, Seen.ACK): (ACCEPTED, ("pass_up",)),
        (ACCEPTED, Seen.TIMER_L): (TERMINATED, ("end",)),
        (ACCEPTED, Seen.TRANSPORT_FAILED): (ACCEPTED, ("report_transport",)),
        (COMPLETED, Seen.REPEAT): (COMPLETED, ("resend",)),
        (COMPLETED, Seen.TIMER_G): (COMPLETED, ("resend", "double_g")),
        (COMPLETED, Seen.ACK): (CONFIRMED, ("stop_timers", "start_i")),
        (COMPLETED, Seen.TIMER_H): (TERMINATED, ("report_no_ack", "end")),
        (COMPLETED, Seen.TRANSPORT_FAILED): (COMPLETED, ("report_transport",)),
        (CONFIRMED, Seen.REPEAT): (CONFIRMED, ()),
        (CONFIRMED, Seen.ACK): (CONFIRMED, ()),
        (CONFIRMED, Seen.TIMER_I): (TERMINATED, ("end",)),
    }

    def __init__(
        self, key: Key, request: Request, flow: Flow, ground: Ground, acknowledged: Callable[[Request, float], None]
    ) -> None:
        super().__init__(key, request, flow, ground)
        self.owner = ""
        """What its user calls it; a CANCEL is about that."""
        self._acknowledged = acknowledged
        self._interval = self.intervals.t1

    def acknowledge(self, ack: Request, now: float) -> None:
        """An ACK that matches came in."""
        self.see(Seen.ACK, now, ack)

    def pass_up(self, now: float, ack: Request) -> None:
        """The ACK of a 2xx is the dialog's business."""
        self._acknowledged(ack, now)

    def start_g(self, now: float, _: object = None) -> None:
        """Repeat the refusal until the ACK, where the transport does not."""
        if not self.flow.reliable:
            self.start(Seen.TIMER_G, now, self._interval)

    def double_g(self, now: float, _: object = None) -> None:
        """Wait twice as long for the next repeat, T2 at most."""
        self._interval = min(2 * self._interval, self.intervals.t2)
        self.start(Seen.TIMER_G, now, self._interval)

    def start_h(self, now: float, _: object = None) -> None:
        """Wait for the ACK."""
        self.start(Seen.TIMER_H, now, self.intervals.timeout)

    def start_i(self, now: float, _: object = None) -> None:
        """Absorb repeats of the ACK."""
        self.start(Seen.TIMER_I, now, self.intervals.drain)

    def start_l(self, now: float, _: object = None) -> None:
        """Absorb repeats of the INVITE; the dialog repeats the 2xx."""
        self.start(Seen.TIMER_L, now, self.intervals.timeout)

    def report_no_ack(self, now: float, _: object = None) -> None:
        """The refusal was never acknowledged; there is nothing left to end."""
        self._note(Mark.DROP, "refusal_not_acknowledged", now)


class NonInviteServer(ServerTransaction):
    """Any other request of a peer's but ACK."""

    FIRST = TRYING
    TABLE: ClassVar[Table] = {
        (TRYING, Seen.REPEAT): (TRYING, ()),
        (TRYING, Seen.PROVISIONAL): (PROCEEDING, ("send",)),
        (TRYING, Seen.SUCCESS): (COMPLETED, ("send", "start_j")),
        (TRYING, Seen.FAILURE): (COMPLETED, ("send", "start_j")),
        (PROCEEDING, Seen.REPEAT): (PROCEEDING, ("resend",)),
        (PROCEEDING, Seen.PROVISIONAL): (PROCEEDING, ("send",)),
        (PROCEEDING, Seen.SUCCESS): (COMPLETED, ("send", "start_j")),
        (PROCEEDING, Seen.FAILURE): (COMPLETED, ("send", "start_j")),
        (PROCEEDING, Seen.TRANSPORT_FAILED): (TERMINATED, ("report_transport", "end")),
        (COMPLETED, Seen.REPEAT): (COMPLETED, ("resend",)),
        (COMPLETED, Seen.TIMER_J): (TERMINATED, ("end",)),
        (COMPLETED, Seen.TRANSPORT_FAILED): (TERMINATED, ("report_transport", "end")),
    }

    def start_j(self, now: float, _: object = None) -> None:
        """Answer repeats of the request."""
        self.start(Seen.TIMER_J, now, self.intervals.repeats)
