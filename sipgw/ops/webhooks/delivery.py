"""Delivers to one endpoint: a few requests at a time, the oldest of each call first, and again until it has them."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from sipgw.io.guarded_http import HttpFailed
from sipgw.ops.posting import http_to, post_signed
from sipgw.ops.webhooks.outbox import Delivery, Outbox
from sipgw.ops.webhooks.tally import Tally
from sipgw.ops.webhooks.verdict import Again, Delivered, Gone, Verdict, judged, unanswered
from sipgw.options import WebhookOptions

LONGEST_SLEEP = 5.0
"""Seconds until the file is looked at again, as commands write to it as well."""


class Deliverer:
    """One endpoint's. `run` until it is cancelled.

    Args:
        options: of the endpoint.
        outbox: what it is to get.
        tally: counts.
        wall: tells Unix time.
        luck: a random number from 0 to 1.
    """

    def __init__(
        self,
        options: WebhookOptions,
        outbox: Outbox,
        tally: Tally,
        log: FilteringBoundLogger,
        *,
        wall: Callable[[], float] = time.time,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._options, self._outbox, self._tally = options, outbox, tally
        self._name = options.place.name
        self._log = log.bind(endpoint=self._name)
        self._wall, self._luck = wall, luck
        self._http = http_to(options.place)
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._rests_until = 0.0
        self._unanswered = 0
        self._failing = False

    def wake(self) -> None:
        """There may be something new."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled; what was being sent then stays to be sent again."""
        try:
            while True:
                self._news.clear()
                # Not `wait_for`, which may swallow a cancellation (until Python 3.12).
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._begun()):
                        await self._news.wait()
        finally:
            sending = tuple(self._sending.values())
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            await self._http.close()

    def _begun(self) -> float:
        """Send what is due, as far as there is room; returns how many seconds later to look again."""
        now = self._wall()
        try:
            self._give_up(now)
            if now < self._rests_until:
                return min(self._rests_until - now, LONGEST_SLEEP)
            most = self._options.place.connections
            for delivery in self._outbox.due(self._name, now, most):
                if len(self._sending) < most and delivery.place not in self._sending:
                    self._sending[delivery.place] = asyncio.create_task(self._send(delivery))
            due = self._outbox.next_due(self._name, now)
        except sqlite3.Error as error:
            self._log.error("webhooks cannot be read", error=str(error))
            return LONGEST_SLEEP
        return LONGEST_SLEEP if due is None else min(due - now, LONGEST_SLEEP)

    def _give_up(self, now: float) -> None:
        if late := self._outbox.give_up(self._name, now - self._options.give_up_after, now):
            self._tally.dropped[self._name, "too_old"] += late
            self._log.error("webhooks given up", count=late, remedy=f"sipgw webhooks retry {self._name}")

    async def _send(self, delivery: Delivery) -> None:
        try:
            self._take(delivery, await self._attempt(delivery))
        except sqlite3.Error as error:
            # What was delivered may be again, which is better than never; but not at full speed.
            self._rests_until = self._wall() + LONGEST_SLEEP
            self._log.error("webhooks cannot be written", error=str(error))
        finally:
            del self._sending[delivery.place]
            self._news.set()

    async def _attempt(self, delivery: Delivery) -> Verdict:
        try:
            answer = await post_signed(self._http, self._options.place, delivery.id, delivery.body, self._wall())
        except HttpFailed as error:
            self._unanswered += 1
            return unanswered(error.name, self._unanswered, self._luck())
        self._unanswered = 0
        return judged(answer.status, answer.headers, delivery.attempts + 1, self._wall(), self._luck())

    def _take(self, delivery: Delivery, verdict: Verdict) -> None:
        match verdict:
            case Delivered():
                self._outbox.delivered(delivery.place)
                self._tally.delivered[self._name] += 1
                self._says(works=True)
            case Again(reason, wait, rests):
                until = self._wall() + wait
                self._outbox.again(delivery.place, until, reason)
                self._tally.failures[self._name, reason] += 1
                if rests:
                    self._rests_until = max(self._rests_until, until)
                self._says(works=False, reason=reason)
            case Gone(reason):
                self._tally.failures[self._name, reason] += 1
                lost = self._outbox.disable(self._name, self._options.place.url, reason, self._wall())
                self._tally.dropped[self._name, "disabled"] += lost
                self._log.error("webhook disabled", reason=reason, remedy=f"sipgw webhooks retry {self._name}")

    def _says(self, *, works: bool, reason: str = "") -> None:
        """One line when it begins to fail, and one when it works again."""
        if works and self._failing:
            self._log.info("webhook works again")
        elif not works and not self._failing:
            self._log.warning("webhook fails", reason=reason)
        self._failing = not works
