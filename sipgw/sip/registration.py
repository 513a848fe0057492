"""Registers with a carrier or PBX, and stays registered (RFC 3261 section 10.2).

Where to send is found out above: `PlacesWanted` is told, and `places` called. A registrar that refuses or does not
answer is followed by the next; after the last one we wait, longer each time (RFC 5626 section 4.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import TrunkOptions
from sipgw.sip.attempts import Attempts
from sipgw.sip.client_transaction import ClientUser
from sipgw.sip.core import Core
from sipgw.sip.digest import Credentials
from sipgw.sip.grammar import MAX_32_BIT, number
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request, Response
from sipgw.sip.paths import contact
from sipgw.sip.timers import Timer
from sipgw.sip.uri import Uri

FIRST_WAIT, LONGEST_WAIT = 30.0, 1800.0
"""Seconds between two rounds through the registrars (RFC 5626 section 4.5)."""


@dataclass(frozen=True, slots=True)
class PlacesWanted:
    """Where does this URI lead? Answer with `places`."""

    trunk: str
    uri: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrar knows us now, for so many seconds; it is kept up from here on."""

    trunk: str
    expires: int
    flow: Flow


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The registrar does not know us, or not any longer. It is tried again, unless we wished it so."""

    trunk: str
    status: int
    """Of its refusal; 408 and 503 where nobody answered; 200 where we took it back."""
    reason: str
    retry: float | None
    """Seconds until the next try; None where there is none."""


RegistrationEvent = PlacesWanted | Registered | Unregistered


class _State(Enum):
    LOCATING = auto()
    ASKING = auto()
    WAITING = auto()
    """Registered, or put off: for the next try either way."""
    LEAVING = auto()
    GONE = auto()


class Registration:
    """One trunk's registration.

    Args:
        core: the agent.
        trunk: with `register`.
        now: seconds; it begins at once.
    """

    def __init__(self, core: Core, trunk: TrunkOptions, now: float) -> None:
        assert trunk.register is not None, "only for a trunk that registers"
        self._core, self._trunk, self._options = core, trunk, trunk.register
        self._expires = trunk.register.expires
        self._instance = core.new_word()
        """Comes back in the Request-URI of calls; some PBXs tell their registrations apart by it (`rinstance`)."""
        self._call_id = core.new_call_id()
        self._tag = core.new_name()
        self._count = count(1).__next__
        self._credentials = tuple(Credentials(one.username, one.password, one.realm) for one in trunk.credentials)
        self._answers = core.answers(self._credentials)
        self._registrar = 0
        self._wait = FIRST_WAIT
        self._timer: Timer | None = None
        self._flow: Flow | None = None
        """Where we are registered; None where we are not."""
        self._state = _State.LOCATING
        self._locate(now)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to be done after `leave`."""
        return self._state is _State.GONE

    # --- orders -----------------------------------------------------------------------------------------------

    def places(self, flows: Sequence[Flow], now: float) -> None:
        """The registrar is there; nowhere, where there are none."""
        if self._state is not _State.LOCATING:
            return
        if flows:
            self._state = _State.ASKING
            self._ask(flows, self._expires, now)
        else:
            self._failed(503, "registrar not found", None, now)

    def leave(self, now: float) -> None:
        """Take the registration back, where there is one (section 10.2.2)."""
        self._stop()
        flow, self._flow = self._flow, None
        if flow is None or self._state in (_State.LEAVING, _State.GONE):
            self._state = _State.GONE
            return
        self._state = _State.LEAVING
        self._ask((flow,), 0, now)

    def lost(self, flow: Flow, now: float) -> None:
        """The connection is over on which calls would come: register again, not all at the same moment."""
        if flow == self._flow and self._state is _State.WAITING:
            self._flow = None
            self._stop()
            self._again(self._core.spread(2000) / 1000, now)

    # --- asking -----------------------------------------------------------------------------------------------

    def _locate(self, now: float) -> None:
        self._state = _State.LOCATING
        self._core.tell_registration(PlacesWanted(self._trunk.name, self._options.registrars[self._registrar]))

    def _ask(self, flows: Sequence[Flow], expires: int, now: float) -> None:
        registrar = Uri.parse(self._options.registrars[self._registrar])
        domain = self._options.domain or registrar.host
        address = f"<{registrar.scheme}:{self._options.user}@{domain}>"

        def make(flow: Flow, number: int, extra: Extra) -> Request:
            seconds = expires and self._expires  # after a 423 it is more than was asked for at first
            rows = (
                ("From", f"{address};tag={self._tag}"),
                ("To", address),
                ("Call-ID", self._call_id),
                ("CSeq", f"{number} REGISTER"),
                ("Contact", self._contact(flow, secure=registrar.scheme == "sips")),
                ("Expires", str(seconds)),
            )
            uri = f"{registrar.scheme}:{registrar.host}"
            return self._core.request("REGISTER", uri, flow, rows, extra)

        def answered(response: Response, now: float) -> None:
            if response.status >= 200:
                self._answered(response, attempts.flow, now)

        def failed(status: int, now: float) -> None:
            self._failed(status, "no answer", None, now)

        attempts = Attempts(
            self._core, make, flows, self._count, ClientUser(answered, failed), now, self._answers, self._too_brief
        )

    def _contact(self, flow: Flow, *, secure: bool) -> str:
        uri = contact(self._core.naming(flow), flow, user=self._options.user, secure=secure)
        return f"<{uri};rinstance={self._instance}>"

    def _too_brief(self, request: Request, response: Response) -> bool:
        """Take the Min-Expires of a 423 (section 10.2.8)."""
        try:
            least = number(response.headers.get("Min-Expires") or "", MAX_32_BIT, "Min-Expires")
        except PeerError:
            return False
        if response.status != 423 or least <= self._expires:
            return False
        self._expires = least
        return True

    # --- what comes of it -------------------------------------------------------------------------------------

    def _answered(self, response: Response, flow: Flow, now: float) -> None:
        if self._state is _State.LEAVING:
            self._state = _State.GONE
            self._core.tell_registration(Unregistered(self._trunk.name, 200, "left", None))
        elif response.status >= 300:
            self._failed(response.status, response.reason, _retry_after(response), now)
        elif self._state is _State.ASKING:
            granted = self._granted(response)
            self._flow, self._wait = flow, FIRST_WAIT
            self._core.trust.admit(flow.remote[0], self._trunk.name)
            self._core.tell_registration(Registered(self._trunk.name, granted, flow))
            # Early enough that a lost round is no gap, and not all registrations of a node at once.
            self._again(granted * (0.75 + 0.15 * self._core.spread(1000) / 1000), now)

    def _failed(self, status: int, reason: str, retry_after: float | None, now: float) -> None:
        if self._state is _State.LEAVING:
            self._state = _State.GONE
            self._core.tell_registration(Unregistered(self._trunk.name, status, reason, None))
            return
        if self._state is _State.GONE:
            return
        self._flow = None
        self._registrar = (self._registrar + 1) % len(self._options.registrars)
        if self._registrar and retry_after is None:
            delay = 0.0
        else:
            # Half of it luck: after an outage not everybody is to come back at once.
            delay = max(self._wait * (0.5 + 0.5 * self._core.spread(1000) / 1000), retry_after or 0.0)
            self._wait = min(2 * self._wait, LONGEST_WAIT)
        self._core.tell_registration(Unregistered(self._trunk.name, status, reason, delay))
        self._again(delay, now)

    def _granted(self, response: Response) -> int:
        """Seconds, by our Contact in the response; else by Expires; else as asked (section 10.2.4)."""
        for value in (*self._of_contacts(response), response.headers.get("Expires")):
            try:
                if value is not None and (seconds := number(value, MAX_32_BIT, "expires")):
                    return seconds
            except PeerError:
                continue
        return self._expires

    def _of_contacts(self, response: Response) -> list[str | None]:
        try:
            contacts = response.contacts
        except PeerError:  # somebody else's may be no address at all
            return []
        return [one.params.get("expires") for one in contacts if one.uri.param("rinstance") == self._instance]

    def _again(self, delay: float, now: float) -> None:
        self._state = _State.WAITING
        self._timer = self._core.exchange.timers.start(now + delay, self._locate)

    def _stop(self) -> None:
        self._core.exchange.timers.stop(self._timer)
        self._timer = None


def _retry_after(response: Response) -> float | None:
    """Seconds; None where it does not say."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return float(number(value.partition(";")[0].partition("(")[0], MAX_32_BIT, "Retry-After"))
    except PeerError:
        return None
