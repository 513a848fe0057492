"""Session timers: a call whose other end has vanished does not stay up for ever (RFC 4028).

Whoever is the refresher says at half time that it is still there; whoever is not, and hears nothing, hangs up.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sipgw.errors import PeerError
from sipgw.options import SipOptions
from sipgw.sip.grammar import MAX_32_BIT, number
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request, Response
from sipgw.sip.params import Params
from sipgw.sip.timers import Timer, Timers

OPTION = "timer"
AGAIN = 4.0
"""Seconds until the next try of a refresh that could not be sent, or was refused."""
SMALLEST = 90
"""Seconds; no Min-SE may be less (section 4)."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """A Session-Expires value."""

    seconds: int
    refresher: str = ""
    """`uac` or `uas`, seen from the request; empty where it is left open."""

    @classmethod
    def parse(cls, text: str) -> "SessionExpires":
        """Read a value.

        Raises:
            PeerError: 400.
        """
        seconds, semicolon, rest = text.partition(";")
        refresher = (Params.parse(semicolon + rest).get("refresher") or "").lower()
        return cls(number(seconds, MAX_32_BIT, "Session-Expires"), refresher if refresher in ("uac", "uas") else "")

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


class SessionTimer:
    """The session timer of one leg.

    Args:
        options: what we ask for, and the least we take.
        timers: where it runs.
        refresh: says that we are still there.
        expired: nobody said that the far end is.
    """

    def __init__(
        self,
        options: SipOptions,
        timers: Timers,
        refresh: Callable[[float], None],
        expired: Callable[[float], None],
    ) -> None:
        self._wanted, self._least = options.session_expires, max(options.min_session_expires, SMALLEST)
        self._timers, self._refresh, self._expired = timers, refresh, expired
        self._timer: Timer | None = None
        self.interval = 0
        """Seconds; 0 while no session timer runs."""
        self.ours = False
        """We are the refresher."""
        self._asked = SessionExpires(0)
        self._peer_knows = False

    # --- requests of ours -------------------------------------------------------------------------------------

    def request_headers(self) -> Extra:
        """What our INVITE, re-INVITE or UPDATE says of it; whoever refreshes a call goes on to (section 7.4)."""
        seconds = self.interval or self._wanted
        if not seconds:
            return ()
        refresher = ("uac" if self.ours else "uas") if self.interval else ""
        least = (("Min-SE", str(self._least)),) if self._least > SMALLEST else ()
        return (("Session-Expires", str(SessionExpires(max(seconds, self._least), refresher))), *least)

    def too_small(self, request: Request, response: Response) -> bool:
        """Take the Min-SE of a 422; whether asking again may help (section 7.3)."""
        asked = _expires(request)
        try:
            least = number(response.headers.get("Min-SE") or "", MAX_32_BIT, "Min-SE")
        except PeerError:
            return False
        if response.status != 422 or asked is None or least <= asked.seconds:
            return False
        self._least = least
        return True

    def answered(self, response: Response, now: float) -> None:
        """Our request has a 2xx: what it says holds; where it says nothing, there is no timer (section 7.2)."""
        found = _expires(response)
        if found is None:
            self.stop()
            return
        self._start(max(found.seconds, SMALLEST), found.refresher != "uas", now)

    # --- requests of theirs -----------------------------------------------------------------------------------

    def asked(self, request: Request) -> None:
        """Look at what an INVITE, re-INVITE or UPDATE asks for.

        Raises:
            PeerError: 422 with our Min-SE where it is too little.
        """
        found = _expires(request) or SessionExpires(0)
        self._peer_knows = request.supports(OPTION)
        if found.seconds and found.seconds < self._least and self._peer_knows:
            raise PeerError(422, "", (("Min-SE", str(self._least)),))
        least = request.headers.get("Min-SE")
        if least is not None:
            self._least = max(self._least, number(least.partition(";")[0], MAX_32_BIT, "Min-SE"))
        self._asked = found

    def accept(self, now: float) -> Extra:
        """What our 2xx says of it; the timer runs from here on (section 9)."""
        unasked = self.interval or (max(self._wanted, self._least) if self._wanted and self._peer_knows else 0)
        interval = self._asked.seconds or unasked
        if not interval:
            return ()
        # A peer that does not know of session timers cannot refresh (table 2).
        ours = not self._peer_knows or self._asked.refresher == "uas"
        self._start(interval, ours, now)
        value = SessionExpires(self.interval, "uas" if ours else "uac")
        required = () if ours else (("Require", OPTION),)
        return (("Session-Expires", str(value)), *required)

    # --- the clock --------------------------------------------------------------------------------------------

    def resume(self, interval: int, ours: bool, now: float) -> None:
        """Go on in another process. How long ago it was refreshed is not known: we are early, or patient."""
        if interval:
            self._start(interval, ours, now)

    def retry(self, now: float, delay: float = AGAIN) -> None:
        """A refresh could not be sent, or was refused: again in a moment, as long as there is time."""
        if self.interval and self.ours:
            self._timers.stop(self._timer)
            self._timer = self._timers.start(now + delay, self._due)

    def stop(self) -> None:
        """There is none any more."""
        self._timers.stop(self._timer)
        self._timer, self.interval = None, 0

    def _start(self, interval: int, ours: bool, now: float) -> None:
        self._timers.stop(self._timer)
        self.interval, self.ours = interval, ours
        wait = interval / 2 if ours else interval - min(32.0, interval / 3)
        self._timer = self._timers.start(now + wait, self._due)

    def _due(self, now: float) -> None:
        self._timer = None
        if self.ours:
            self._refresh(now)
        else:
            self._expired(now)


def _expires(message: Request | Response) -> SessionExpires | None:
    """What a message says; None where it says nothing, or nothing that can be read."""
    value = message.headers.get("Session-Expires")
    if value is None:
        return None
    try:
        return SessionExpires.parse(value)
    except PeerError:
        return None
