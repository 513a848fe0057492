"""Tries a route's targets one after another, before the answer and after it."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from sipgw.ai.events import CallFacts
from sipgw.call.advice import Advice, Question, Rejection, advised, filled
from sipgw.call.causes import reason
from sipgw.call.cdr import HOOK, Draft
from sipgw.call.events import HookAnswered
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.routing import Route, Target
from sipgw.call.snapshot import KeptTargets
from sipgw.call.states import Seen
from sipgw.call.surroundings import Surroundings
from sipgw.media import plane
from sipgw.options import Ask, BackendOptions, HookOptions

TIMER = "target"

Facts = Callable[[dict[str, str], str], CallFacts]
"""The call's facts with these variables and instructions."""


class Targets:
    """One call's targets. Each is tried once; `Holdings.attempt` counts the backends among them."""

    def __init__(self, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        self._held = held
        self._draft = draft
        self._around = around
        self._happened = happened
        self._left: deque[Target] = deque()
        self._timeout = 0.0
        self.ready_at_hand = False
        """Whether the one tried last is ready."""
        self._hook: HookOptions | None = None
        """The one whose answer is waited for."""
        self._question: Question | None = None
        self._advice = Advice()
        """What counts for whoever takes the call."""

    def take(self, route: Route) -> None:
        """These are the targets."""
        self._left = deque(route.targets)
        self._timeout = route.options.target_timeout

    def snapshot(self) -> KeptTargets:
        """What `restore` needs. An answer that is waited for is not: it would come to the process that asked."""
        left = tuple(Ask(one.hook.place.name) if one.hook is not None else one.name for one in self._left)
        return KeptTargets(left, self._timeout, dict(self._advice.variables), self._advice.instructions)

    def restore(self, kept: KeptTargets) -> None:
        """Go on from there; the targets are those that the configuration has under their names now."""
        self._left, self._timeout = deque(map(self._around.routes.target, kept.left)), kept.timeout
        self._advice = Advice(variables=kept.variables, instructions=kept.instructions)

    def rings(self, usual: bool) -> bool:
        """Whether the caller is to hear ringing; `usual` is the route's word."""
        return usual if self._advice.ring is None else self._advice.ring

    def next(self, facts: Facts, question: Question, now: float) -> Seen | None:
        """Connect or ask the next one; sees that there is none, or that a hook's answer is known already."""
        self.ready_at_hand = False
        while self._left:
            target = self._left.popleft()
            if target.backend is None:
                self._draft.tried(target.name, now, HOOK if target.hook else "")
            else:
                self._draft.tried(target.name, now, target.backend.dialect, self._held.attempt + 1)
            self._happened(Kind.TARGET, now, target=target.name)
            if target.hook is not None:
                return self._ask(target.hook, question, now)
            if target.backend is not None:
                self._connect(target.backend, facts, now)
                return None
            self._failed("not_configured", now)
        return Seen.OUT_OF_TARGETS

    def ready(self, now: float) -> None:
        """The one at hand is."""
        self._held.cancel_timer(TIMER)
        self.ready_at_hand = True
        self._draft.target_ready(now)

    def failed(self, event: object, now: float) -> str:
        """The one at hand did, by its own report or because it took too long; returns why.

        A backend that took too long is still at it: it is replaced, or closed with the call.
        """
        self._held.cancel_timer(TIMER)
        self._held.stop_asking()
        if isinstance(event, plane.Reported):
            self._held.forget_conversation()
        why = reason(event) or "timeout"
        self._failed(why, now)
        return f"{self._draft.targets[-1].target}: {why}"

    # --- hooks ----------------------------------------------------------------------------------------------------

    def remembered(self, now: float) -> bool:
        """Whether the hook that failed said something before that is good enough now; if so it counts."""
        hook, self._hook = self._hook, None
        if hook is None or self._question is None:
            return False
        return self._recall(hook, self._question, hook.stale_for, "stale", now)

    def heed(self, event: object, now: float) -> Rejection | None:
        """Do as the hook says: what it just said, or what is remembered. Returns the refusal it wants."""
        self._held.cancel_timer(TIMER)
        hook, self._hook = self._hook, None
        if hook is not None and self._question is not None and isinstance(event, HookAnswered):
            self._around.memory.keep(hook, self._question, event.advice, now)
            self._count(event.advice, "", now)
        if self._advice.backend:
            self._left.appendleft(self._target(self._advice))
        return self._advice.reject

    def _ask(self, hook: HookOptions, question: Question, now: float) -> Seen | None:
        # A backend that took too long may get ready after all: nobody waits for it any longer.
        self._held.close_conversation("replaced")
        self._question = replace(question, tried=self._tried())
        if self._recall(hook, self._question, hook.cache_for, "cached", now):
            return Seen.ADVISED
        self._hook = hook
        self._held.ask(hook.place.name, self._question)
        self._held.start_timer(TIMER, now + hook.place.timeout)
        return None

    def _recall(self, hook: HookOptions, question: Question, seconds: float, how: str, now: float) -> bool:
        advice = self._around.memory.recall(hook, question, now - seconds)
        if advice is None:
            return False
        self._count(advice, how, now)
        return True

    def _count(self, advice: Advice, how: str, now: float) -> None:
        """From now on this is what counts; what an earlier hook said of variables stays where this one is silent."""
        before, self._advice = self._advice, advice
        self._advice = replace(
            advice,
            variables={**before.variables, **advice.variables},
            instructions=advice.instructions or before.instructions,
        )
        self._draft.advised(str(advice), how, now)

    def _tried(self) -> tuple[str, ...]:
        return tuple(one.target for one in self._draft.targets[:-1] if one.failure)

    def _target(self, advice: Advice) -> Target:
        backend = self._around.routes.backend(advice.backend)
        return Target(advice.backend, None if backend is None else advised(backend, advice))

    # --- backends -------------------------------------------------------------------------------------------------

    def _connect(self, backend: BackendOptions, facts: Facts, now: float) -> None:
        variables = {**backend.variables, **self._advice.variables}
        known = facts(variables, self._advice.instructions)
        self._held.connect(filled(backend, variables), known, self._around.options.farewell_limit)
        self._held.start_timer(TIMER, now + self._timeout)

    def _failed(self, why: str, now: float) -> None:
        self._draft.target_failed(why, now)
        self._happened(Kind.TARGET_FAILED, now, target=self._draft.targets[-1].target, reason=why)
