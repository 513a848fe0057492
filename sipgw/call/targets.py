"""Tries a route's targets one after another, before the answer and after it."""

from collections.abc import Iterator

from sipgw.ai.events import CallFacts
from sipgw.call.causes import reason
from sipgw.call.cdr import Draft
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.routing import Route, Target
from sipgw.media import plane

TIMER = "target"


class Targets:
    """One call's targets. Each is tried once; `Holdings.attempt` counts them."""

    def __init__(self, held: Holdings, draft: Draft, farewell_limit: float, happened: Happened) -> None:
        self._held = held
        self._draft = draft
        self._farewell_limit = farewell_limit
        self._happened = happened
        self._left: Iterator[Target] = iter(())
        self._timeout = 0.0

    def take(self, route: Route) -> None:
        """These are the targets."""
        self._left = iter(route.targets)
        self._timeout = route.options.target_timeout

    def next(self, facts: CallFacts, now: float) -> bool:
        """Connect the next one; returns whether there was one."""
        for target in self._left:
            if target.backend is None:
                self._draft.tried(target.name, now)
            else:
                self._draft.tried(target.name, now, target.backend.dialect, self._held.attempt + 1)
            self._happened(Kind.TARGET, now, target=target.name)
            if target.backend is not None:
                self._held.connect(target.backend, facts, self._farewell_limit)
                self._held.start_timer(TIMER, now + self._timeout)
                return True
            self._failed("not_configured", now)
        return False

    def ready(self, now: float) -> None:
        """The one at hand is."""
        self._held.cancel_timer(TIMER)
        self._draft.target_ready(now)

    def failed(self, event: object, now: float) -> str:
        """The one at hand did, by its own report or because it took too long; returns why.

        One that took too long is still at it: it is replaced, or closed with the call.
        """
        self._held.cancel_timer(TIMER)
        if isinstance(event, plane.Reported):
            self._held.forget_conversation()
        why = reason(event) or "timeout"
        self._failed(why, now)
        return f"{self._draft.targets[-1].target}: {why}"

    def _failed(self, why: str, now: float) -> None:
        self._draft.target_failed(why, now)
        self._happened(Kind.TARGET_FAILED, now, target=self._draft.targets[-1].target, reason=why)
