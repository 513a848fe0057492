"""Client transactions: INVITE (RFC 3261 17.1.1, RFC 6026 section 8.4) and all others (17.1.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sipgw.flow import Flow
from sipgw.sip.message import Headers, Request, Response
from sipgw.sip.transaction import Ground, Key, Seen, State, Table, Transaction, kind_of

CALLING, TRYING, PROCEEDING = State.CALLING, State.TRYING, State.PROCEEDING
ACCEPTED, COMPLETED, TERMINATED = State.ACCEPTED, State.COMPLETED, State.TERMINATED


@dataclass(frozen=True, slots=True)
class ClientUser:
    """Whom a client transaction tells."""

    response: Callable[[Response, float], None]
    """Each response that is not a repeat; every 2xx to an INVITE."""
    failed: Callable[[int, float], None]
    """No final response will come: 408 for a timeout, 503 for the transport (RFC 3261 8.1.3.1)."""


class ClientTransaction(Transaction):
    """What both client transactions do."""

    def __init__(self, key: Key, request: Request, flow: Flow, ground: Ground, user: ClientUser) -> None:
        super().__init__(key, request, flow, ground)
        self._user = user
        self._data = bytes(request)
        self._interval = self.intervals.t1

    def receive(self, response: Response, now: float) -> None:
        """A response that matches came in."""
        self.see(kind_of(response), now, response)

    def resend(self, now: float, _: object = None) -> None:
        """Send the request again."""
        self._send(self._data, now)

    def pass_up(self, now: float, response: Response) -> None:
        """Hand the response to the user."""
        self._user.response(response, now)

    def report_timeout(self, now: float, _: object = None) -> None:
        """Nobody answered."""
        self._user.failed(408, now)

    def report_transport(self, now: float, _: object = None) -> None:
        """The request could not be delivered."""
        self._user.failed(503, now)


class InviteClient(ClientTransaction):
    """An INVITE of ours. It is sent on creation."""

    FIRST = CALLING
    TABLE: ClassVar[Table] = {
        (CALLING, Seen.TIMER_A): (CALLING, ("resend", "double_a")),
        (CALLING, Seen.TIMER_B): (TERMINATED, ("end", "report_timeout")),
        (CALLING, Seen.PROVISIONAL): (PROCEEDING, ("stop_timers", "pass_up")),
        (CALLING, Seen.SUCCESS): (ACCEPTED, ("stop_timers", "start_m", "pass_up")),
        (CALLING, Seen.FAILURE): (COMPLETED, ("stop_timers", "acknowledge", "start_d", "pass_up")),
        (CALLING, Seen.TRANSPORT_FAILED): (TERMINATED, ("end", "report_transport")),
        (PROCEEDING, Seen.PROVISIONAL): (PROCEEDING, ("pass_up",)),
        (PROCEEDING, Seen.SUCCESS): (ACCEPTED, ("start_m", "pass_up")),
        (PROCEEDING, Seen.FAILURE): (COMPLETED, ("acknowledge", "start_d", "pass_up")),
        (COMPLETED, Seen.FAILURE): (COMPLETED, ("acknowledge",)),
        (COMPLETED, Seen.TIMER_D): (TERMINATED, ("end",)),
        (COMPLETED, Seen.TRANSPORT_FAILED): (TERMINATED, ("end",)),
        (ACCEPTED, Seen.SUCCESS): (ACCEPTED, ("pass_up",)),
        (ACCEPTED, Seen.TIMER_M): (TERMINATED, ("end",)),
    }

    def __init__(self, key: Key, request: Request, flow: Flow, ground: Ground, user: ClientUser, now: float) -> None:
        super().__init__(key, request, flow, ground, user)
        self.resend(now)
        self.start(Seen.TIMER_B, now, self.intervals.timeout)
        if not flow.reliable:
            self.start(Seen.TIMER_A, now, self._interval)

    def double_a(self, now: float, _: object = None) -> None:
        """Wait twice as long for the next repeat."""
        self._interval *= 2
        self.start(Seen.TIMER_A, now, self._interval)

    def start_d(self, now: float, _: object = None) -> None:
        """Absorb repeats of the failure."""
        self.start(Seen.TIMER_D, now, self.intervals.repeats)

    def start_m(self, now: float, _: object = None) -> None:
        """Let further 2xx come, repeated or from other forks."""
        self.start(Seen.TIMER_M, now, self.intervals.timeout)

    def acknowledge(self, now: float, response: Response) -> None:
        """ACK a failure; it belongs to this transaction (RFC 3261 17.1.1.3)."""
        self._send(bytes(ack_of_failure(self.request, response)), now)


class NonInviteClient(ClientTransaction):
    """Any other request of ours but ACK. It is sent on creation."""

    FIRST = TRYING
    TABLE: ClassVar[Table] = {
        (TRYING, Seen.TIMER_E): (TRYING, ("resend", "double_e")),
        (TRYING, Seen.TIMER_F): (TERMINATED, ("end", "report_timeout")),
        (TRYING, Seen.PROVISIONAL): (PROCEEDING, ("pass_up",)),
        (TRYING, Seen.SUCCESS): (COMPLETED, ("stop_timers", "start_k", "pass_up")),
        (TRYING, Seen.FAILURE): (COMPLETED, ("stop_timers", "start_k", "pass_up")),
        (TRYING, Seen.TRANSPORT_FAILED): (TERMINATED, ("end", "report_transport")),
        (PROCEEDING, Seen.TIMER_E): (PROCEEDING, ("resend", "slow_e")),
        (PROCEEDING, Seen.TIMER_F): (TERMINATED, ("end", "report_timeout")),
        (PROCEEDING, Seen.PROVISIONAL): (PROCEEDING, ("pass_up",)),
        (PROCEEDING, Seen.SUCCESS): (COMPLETED, ("stop_timers", "start_k", "pass_up")),
        (PROCEEDING, Seen.FAILURE): (COMPLETED, ("stop_timers", "start_k", "pass_up")),
        (PROCEEDING, Seen.TRANSPORT_FAILED): (TERMINATED, ("end", "report_transport")),
        (COMPLETED, Seen.PROVISIONAL): (COMPLETED, ()),
        (COMPLETED, Seen.SUCCESS): (COMPLETED, ()),
        (COMPLETED, Seen.FAILURE): (COMPLETED, ()),
        (COMPLETED, Seen.TIMER_K): (TERMINATED, ("end",)),
    }

    def __init__(self, key: Key, request: Request, flow: Flow, ground: Ground, user: ClientUser, now: float) -> None:
        super().__init__(key, request, flow, ground, user)
        self.resend(now)
        self.start(Seen.TIMER_F, now, self.intervals.timeout)
        if not flow.reliable:
            self.start(Seen.TIMER_E, now, self._interval)

    def double_e(self, now: float, _: object = None) -> None:
        """Wait twice as long for the next repeat, T2 at most."""
        self._interval = min(2 * self._interval, self.intervals.t2)
        self.start(Seen.TIMER_E, now, self._interval)

    def slow_e(self, now: float, _: object = None) -> None:
        """The server works on it: repeat every T2."""
        self._interval = self.intervals.t2
        self.start(Seen.TIMER_E, now, self._interval)

    def start_k(self, now: float, _: object = None) -> None:
        """Absorb repeats of the response."""
        self.start(Seen.TIMER_K, now, self.intervals.drain)


def ack_of_failure(invite: Request, response: Response) -> Request:
    """The ACK of a 300 to 699; it has the To of the response (RFC 3261 17.1.1.3)."""
    return derived(invite, "ACK", response.headers.get("To") or "")


def cancel_of(invite: Request, extra: tuple[tuple[str, str], ...] = ()) -> Request:
    """The CANCEL of an INVITE (RFC 3261 9.1)."""
    return derived(invite, "CANCEL", invite.headers.get("To") or "", extra)


def derived(invite: Request, method: str, to: str, extra: tuple[tuple[str, str], ...] = ()) -> Request:
    """A request that travels the path of `invite`: same Request-URI, top Via, route, Call-ID and CSeq number."""
    headers = Headers(
        [
            ("Via", invite.headers.all("Via")[0]),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in invite.headers.all("Route")),
            ("From", invite.headers.get("From") or ""),
            ("To", to),
            ("Call-ID", invite.call_id),
            ("CSeq", f"{invite.cseq.number} {method}"),
            *extra,
        ]
    )
    return Request(method, invite.uri, headers)
