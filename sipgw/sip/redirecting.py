"""A call of ours that is sent on elsewhere (RFC 3261 section 8.1.3.4): asks where that is, and places it again."""

from collections.abc import Callable, Sequence

from sipgw.flow import Flow
from sipgw.sip.core import Core
from sipgw.sip.events import Redirected, Refused
from sipgw.sip.leg import Leg, Stage
from sipgw.sip.message import Response
from sipgw.sip.redirects import Redirects, Target
from sipgw.sip.timers import Timer

Place = Callable[[Target, Sequence[Flow], float], None]
"""Sends the INVITE there."""


class Redirecting:
    """One call's.

    Args:
        core: the agent.
        leg: the call.
        uri: the Request-URI that was called first.
        place: sends its INVITE anew.
    """

    def __init__(self, core: Core, leg: Leg, uri: str, place: Place) -> None:
        self._core, self._leg, self._place = core, leg, place
        self._redirects = Redirects(uri, core.options.redirects)
        self._at = Target(uri)
        self._asking: Target | None = None
        """The one whose addresses are waited for."""
        self._limit: Timer | None = None
        self._last: tuple[int, Response | None] = (0, None)

    @property
    def waits(self) -> bool:
        """Whether the layer above is to say where the next place is."""
        return self._asking is not None

    def refused(self, status: int, response: Response | None, now: float) -> bool:
        """The INVITE was, or nobody answered it; whether there is another place to try."""
        if response is not None and 300 <= status < 400:
            for objection in self._redirects.take(self._at.uri, response):
                self._core.drop("not_followed", now, objection, self._leg.name)
        elif status >= 600:
            return False  # nobody anywhere wants it (section 21.6)
        self._last = status, response
        return self._ask(now)

    def follow(self, flows: Sequence[Flow], now: float) -> None:
        """The answer to `Redirected`: place the call there, or at the next place where there is no path to this one."""
        target, leg = self._asking, self._leg
        self.stop()
        if target is None:
            self._core.drop("late_command", now, "follow", leg.name)
        elif flows:
            self._at, leg.flow, leg.dialog = target, flows[0], None
            if not self._redirects.is_home(target):
                leg.answers = None  # they were meant for another
            self._place(target, flows, now)
        elif not self._ask(now):
            self._core.finish(leg, now, Refused(leg.name, *self._last))

    def stop(self) -> None:
        """No answer is waited for any longer."""
        self._core.exchange.timers.stop(self._limit)
        self._asking = None

    def _ask(self, now: float) -> bool:
        target = self._redirects.next() if self._leg.stage is Stage.ASKING else None
        if target is None:
            return False
        self._asking = target
        self._limit = self._core.exchange.timers.start(now + 64 * self._core.options.t1, self._nobody_said)
        self._core.tell(Redirected(self._leg.name, target.hop))
        return True

    def _nobody_said(self, now: float) -> None:
        self.follow((), now)
