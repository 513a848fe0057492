"""What the acts of the agent work with: legs, transactions, events, and the making of messages."""

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sipgw.errors import PeerError, UsageError
from sipgw.flow import Endpoint, Flow
from sipgw.options import SipOptions
from sipgw.sip.accounts import Proof
from sipgw.sip.body import SDP
from sipgw.sip.credentials import Answers
from sipgw.sip.defence import Defence
from sipgw.sip.dialog import Dialog
from sipgw.sip.digest import Credentials
from sipgw.sip.events import SipEvent
from sipgw.sip.exchange import Exchange
from sipgw.sip.inspection import ALLOW, SUPPORTED
from sipgw.sip.late import Abandoned
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Headers, Request, Response, respond
from sipgw.sip.paths import Naming, as_configured, beside, contact, via
from sipgw.sip.recent import Recent
from sipgw.sip.registrar import Registrar
from sipgw.sip.replaces import past
from sipgw.sip.session_timer import SessionTimer
from sipgw.sip.trust import Trust, Verdict
from sipgw.sip.values import COOKIE
from sipgw.trace import Mark, Note, Trace

Changed = Callable[[str], None]
"""Takes the name of a leg. Must not raise and must not block."""


Door = Callable[[Flow, float], PeerError | None]
"""Takes a call's path and the time; says how it is refused at once, or nothing."""


def open_to_all(source: Flow, now: float) -> PeerError | None:
    """Every call is taken on."""
    return None


def unheard(leg: str) -> None:
    """Nobody wants to know."""


if TYPE_CHECKING:
    from sipgw.sip.registration import Registration, RegistrationEvent


_GUESSES = frozenset({Proof.WRONG.value, "wrong_place"})
_KEPT = 10_000
"""More than there are dialogs."""

Act = Callable[["Core", Leg, float], None]


def _nobody_looks() -> None:
    """Whoever wants to know asks by itself."""


def _unwound(core: "Core", leg: Leg, now: float) -> None:
    """Nothing is wired here."""
    raise UsageError("the agent has no acts for session timers")


class Core:
    """The agent's state, shared by its acts."""

    def __init__(self, options: SipOptions, token: Callable[[], str], trace: Trace, changed: Changed = unheard) -> None:
        self.options = options
        self.changed = changed
        """Told of every change in what outlives the process: see `memory`."""
        self.door: Door = open_to_all
        """Asked for every new call before anything is kept of it."""
        self.naming: Naming = as_configured(options)
        """Says by which host the far end of a flow reaches us."""
        self.draining = False
        """Refuse OPTIONS, so that carriers try another node."""
        self.legs: dict[str, Leg] = {}
        self.events: list[SipEvent] = []
        self.exchange = Exchange(options, trace)
        self._token = token
        self.trace = trace
        self.trust = Trust(options, token)
        self.registrar = Registrar(options, self.exchange.timers)
        self.defence = Defence(options, self.trust, self.exchange)
        self.registrations: dict[str, Registration] = {}
        """By their trunks."""
        self.registration_events: list[RegistrationEvent] = []
        self.registrations_moved: Callable[[], None] = _nobody_looks
        """Told that there is one more."""
        self._secret = token()
        self.refresh: Act = _unwound
        self.expire: Act = _unwound
        """What to do when a leg's session timer says so; wired by the agent, as those acts need this."""
        self.abandoned = Abandoned()
        self.past: Recent[tuple[str, str, str], None] = Recent(_KEPT)
        """Dialogs that are over: Call-ID, our tag, theirs."""
        self._gone: Recent[Flow, None] = Recent(_KEPT)
        """Connections that are over."""
        self._no_stream: Recent[Endpoint, None] = Recent(_KEPT)
        """Who does not take connections of ours."""

    def tell(self, event: SipEvent) -> None:
        """Report upwards."""
        self.events.append(event)

    def leg_of(self, request: Request) -> Leg | None:
        """The leg in whose dialog a request is."""
        leg = self.legs.get(request.to.tag or "")
        return leg if leg is not None and leg.dialog is not None and leg.dialog.is_with(request) else None

    def leg_by(self, request: Request, source: Flow) -> Leg | None:
        """The same, where the request comes from the dialog's peer."""
        leg = self.leg_of(request)
        if leg is None or leg.dialog is None:
            return None
        # Whom we called proves nothing where it connects to us: it need not show a certificate there.
        goes_on = leg.dialog.caller or self.trust.goes_on(leg.trunk, leg.dialog.flow, source)
        return leg if goes_on else None

    def finish(self, leg: Leg, now: float, event: SipEvent | None = None) -> None:
        """The leg is gone; `event` is told unless the layer above knows already."""
        if leg.stage is Stage.GONE:
            return
        if leg.answered and leg.dialog is not None:
            self.past.put(past(leg.dialog), None)
        leg.stage = Stage.GONE
        self.legs.pop(leg.name, None)
        self.changed(leg.name)
        if leg.theirs is not None:
            leg.theirs.settle()
        if leg.offer is not None:
            leg.offer.abandon(now)
        if leg.timer is not None:
            leg.timer.stop()
        if event is not None and not leg.told:
            leg.told = True
            self.tell(event)

    def timer_of(self, leg: Leg) -> SessionTimer:
        """The leg's session timer, made where it has none yet."""
        if leg.timer is None:
            leg.timer = SessionTimer(
                self.options,
                self.exchange.timers,
                lambda now: self.refresh(self, leg, now),
                lambda now: self.expire(self, leg, now),
            )
        return leg.timer

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A connection is over: what waits on it fails, and what its dialogs have to say needs another."""
        self._gone.put(flow, None)
        self.exchange.transport_failed(flow, now)
        for registration in self.registrations.values():
            registration.lost(flow, now)
        self.registrar.bindings.lost(flow, now)

    def stream_instead(self, request: Request, flow: Flow) -> Flow | None:
        """The path over TCP for a request that a datagram had better not hold; None where it may, or there is none."""
        if flow.reliable or len(bytes(request)) <= self.options.datagram_limit_bytes or flow.remote in self._no_stream:
            return None
        return beside(self.options, flow, "tcp")

    def no_stream(self, remote: Endpoint) -> None:
        """Nobody took our connection there: it gets datagrams from now on, however large."""
        self._no_stream.put(remote, None)

    def drop(self, name: str, now: float, detail: str = "", leg: str = "") -> None:
        """Trace that something was not acted upon."""
        self.trace(Note(now, "sip", Mark.DROP, name, leg, detail))

    def tell_registration(self, event: "RegistrationEvent") -> None:
        """Report upwards what a registration wants, or what became of it."""
        self.registration_events.append(event)
        self.registrations_moved()

    def new_word(self) -> str:
        """A word nobody can guess."""
        return self._token()

    def new_name(self) -> str:
        """A tag nobody has; it names the node."""
        return f"{self.options.node}-{self._token()}"

    def new_call_id(self) -> str:
        """A Call-ID nobody has; it names the node."""
        return f"{self._token()}@{self.options.node}"

    def stable_tag(self, request: Request) -> str:
        """The To tag of a response without state: the same for each repeat of `request` (RFC 3261 8.2.7)."""
        headers = request.headers
        seed = "\n".join(headers.get(name) or "" for name in ("Via", "From", "Call-ID", "CSeq"))
        return f"{self.options.node}-{zlib.crc32((self._secret + seed).encode(errors='replace')):08x}"

    def spread(self, limit: int) -> int:
        """A number from 0 to `limit` that differs from time to time."""
        return zlib.crc32(self._token().encode(errors="replace")) % (limit + 1)

    def respond(
        self,
        request: Request,
        status: int,
        *,
        to_tag: str = "",
        reason: str = "",
        headers: Extra = (),
        body: bytes = b"",
    ) -> Response:
        """A response of ours. Without `to_tag` it gets one that is the same for each repeat."""
        kind = (("Content-Type", SDP),) if body and not _names(headers, "content-type") else ()
        return respond(
            request,
            status,
            reason or None,
            to_tag=None if status == 100 else to_tag or self.stable_tag(request),
            headers=(*headers, ("Server", self.options.user_agent), *kind),
            body=body,
        )

    def reconfigure(self, options: SipOptions, now: float) -> None:
        """Believe from now on whom these options name; all else stays as it was at the start."""
        self.trust = Trust(options, self._token, self.trust)
        self.registrar.reconfigure(options, now)
        self.defence.reconfigure(options, self.trust)

    def challenge(self, verdict: Verdict, method: str, source: Flow, now: float) -> PeerError:
        """The refusal that asks who it is. A guess counts against its source; a request without an answer does not."""
        self.drop(verdict.reason, now, f"{method} from {source}")
        if verdict.reason in _GUESSES:
            self.defence.offence(verdict.reason, source, now)
        return PeerError(401, "", verdict.challenge)

    def answers(self, credentials: Sequence[Credentials]) -> Answers | None:
        """What to say to who asks who we are; None where there is nothing to say."""
        return Answers(credentials, self._token) if credentials else None

    def capable(self, flow: Flow, headers: Extra, *, secure: bool = False) -> Extra:
        """Our Contact and what we can do, before `headers`, for messages that make or refresh a dialog.

        Args:
            flow: of the message.
            headers: its others.
            secure: whether the Contact is to be a SIPS URI.
        """
        own = (
            ("Contact", f"<{contact(self.naming(flow), flow, secure=secure)}>"),
            ("Allow", ALLOW),
            ("Supported", ", ".join(SUPPORTED)),
        )
        return (*(pair for pair in own if not _names(headers, pair[0].lower())), *headers)

    def request(
        self, method: str, uri: str, flow: Flow, rows: Extra, headers: Extra = (), body: bytes = b""
    ) -> Request:
        """A request of ours; `rows` are those that its dialog or its lack of one asks for."""
        kind = (("Content-Type", SDP),) if body and not _names(headers, "content-type") else ()
        top = ("Via", via(self.naming(flow), flow, f"{COOKIE}{self._token()}"))
        own = (("User-Agent", self.options.user_agent),)
        return Request(method, uri, Headers([top, ("Max-Forwards", "70"), *rows, *headers, *own, *kind]), body)

    def hop(self, dialog: Dialog) -> Flow:
        """Where a request within `dialog` goes."""
        return dialog.address(gone=dialog.flow in self._gone)[2]

    def count(self, dialog: Dialog) -> int:
        """The number of our next request within `dialog`."""
        self.changed(dialog.local_tag)
        return dialog.next_cseq()

    def within(
        self, dialog: Dialog, method: str, flow: Flow, cseq: int, headers: Extra = (), body: bytes = b""
    ) -> Request:
        """A request within `dialog`."""
        uri, routes, _ = dialog.address()
        rows = (
            *(("Route", route) for route in routes),
            ("From", dialog.local),
            ("To", dialog.remote),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{cseq} {method}"),
        )
        return self.request(method, uri, flow, rows, headers, body)


def _names(headers: Extra, name: str) -> bool:
    return any(key.lower() == name for key, _ in headers)
