"""The hooks of a running gateway, as its loop sees them: a question goes out, an answer comes back, nothing waits."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future

from structlog.typing import FilteringBoundLogger

from sipgw.call.advice import Question
from sipgw.call.events import HookAnswered, HookEvent, HookFailed
from sipgw.io.aside import Aside
from sipgw.io.guarded_http import GuardedHttp, HttpFailed
from sipgw.ops.hooks.counts import Counts
from sipgw.ops.hooks.wire import decode, encode
from sipgw.ops.posting import http_to, post_signed
from sipgw.options import HookOptions, PlaceOptions

_OK = 200


class Hooks:
    """Puts questions, in a thread of its own. There is none while there are no hooks.

    Args:
        tell: takes the answers, in the loop this is made in.
    """

    def __init__(self, tell: Callable[[HookEvent], None], counts: Counts, log: FilteringBoundLogger) -> None:
        self._tell, self._counts, self._log = tell, counts, log
        self._loop = asyncio.get_running_loop()
        self._places: dict[str, PlaceOptions] = {}
        self._asked: dict[str, Future[HookEvent]] = {}
        self._busy: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._aside: Aside | None = None
        self._https: dict[str, tuple[PlaceOptions, GuardedHttp]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def serve(self, hooks: Sequence[HookOptions]) -> None:
        """These are the hooks from now on; questions that are out stay out."""
        self._places = {hook.place.name: hook.place for hook in hooks}
        if self._places and self._aside is None:
            self._aside = Aside("hooks")

    def ask(self, name: str, hook: str, question: Question) -> None:
        """Put a question; what comes of it is told, unless `stop` comes before.

        Args:
            name: the question's id.
        """
        place = self._places.get(hook)
        if place is None or self._aside is None:
            self._take(name, hook, HookFailed(name, "not_configured"))
        elif self._busy[hook] >= place.connections:
            # To wait for its turn would only make it too late.
            self._take(name, hook, HookFailed(name, "busy"))
        else:
            self._busy[hook] += 1
            future = self._asked[name] = self._aside.run(self._put(place, name, question))
            future.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._done, name, hook, done))

    def stop(self, name: str) -> None:
        """Nobody waits for that answer any longer."""
        if name in self._asked:
            self._asked[name].cancel()

    async def close(self) -> None:
        """Break off what is being asked, and end."""
        if self._aside is not None:
            for future in tuple(self._asked.values()):
                future.cancel()
            await asyncio.wrap_future(self._aside.run(self._close()))
            await self._aside.stop()
            self._aside = None

    def _done(self, name: str, hook: str, future: Future[HookEvent]) -> None:
        del self._asked[name]
        self._busy[hook] -= 1
        try:
            event = future.result()
        except CancelledError:
            self._counts.outcome(hook, "given_up")
        except Exception as error:  # noqa: BLE001 a defect of ours must not leave a call waiting
            self._log.error("hook broke", hook=hook, exc_info=error)
            self._take(name, hook, HookFailed(name, "broke"))
        else:
            self._take(name, hook, event)

    def _take(self, name: str, hook: str, event: HookEvent) -> None:
        reason = event.reason if isinstance(event, HookFailed) else ""
        self._counts.outcome(hook, reason or "answered")
        if reason and hook not in self._failing:
            self._failing.add(hook)
            self._log.warning("hook fails", hook=hook, reason=reason)
        elif not reason and hook in self._failing:
            self._failing.remove(hook)
            self._log.info("hook works again", hook=hook)
        self._tell(event)

    # --- in the thread ---------------------------------------------------------------------------------------------

    async def _put(self, place: PlaceOptions, name: str, question: Question) -> HookEvent:
        began = time.monotonic()
        message = f"ask_{secrets.token_hex(12)}"
        try:
            answer = await post_signed(self._http(place), place, message, encode(question), time.time())
        except HttpFailed as error:
            return HookFailed(name, error.name)
        self._counts.took(place.name, time.monotonic() - began)
        if answer.status != _OK:
            return HookFailed(name, f"http_{answer.status}")
        try:
            return HookAnswered(name, decode(answer.body))
        except ValueError as error:
            self._log.warning("hook's answer makes no sense", hook=place.name, call=question.call, problem=str(error))
            return HookFailed(name, "bad_answer")

    def _http(self, place: PlaceOptions) -> GuardedHttp:
        """Its connections; new ones where the configuration has changed."""
        known = self._https.get(place.name)
        if known is None or known[0] != place:
            if known is not None:
                self._retiring.add(asyncio.create_task(_retire(*known)))
            known = self._https[place.name] = place, http_to(place)
        return known[1]

    async def _close(self) -> None:
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        for _, http in self._https.values():
            await http.close()


async def _retire(place: PlaceOptions, http: GuardedHttp) -> None:
    """Close connections once what was asked over them must be over."""
    try:
        await asyncio.sleep(place.timeout)
    finally:
        await http.close()
