"""Keeps up our registrations with trunks: finds their registrars, says what became of them, leaves at the end."""

import asyncio
from collections.abc import Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from sipgw.app.locator import Locator
from sipgw.errors import PeerError
from sipgw.io.driver import Driver
from sipgw.options import TrunkOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import SipEvent
from sipgw.sip.registration import PlacesWanted, Registered, RegistrationEvent, Unregistered
from sipgw.sip.uri import Uri

_LEAVE_LIMIT = 3.0
"""Seconds for registrars to hear that we are gone."""


class Registrations:
    """Those of one gateway.

    Args:
        agent: registers.
        driver: runs it.
        locator: finds registrars.
        log: where it is said.
        alarm: takes the name and the detail of what an operator should look at.
    """

    def __init__(
        self,
        agent: Agent,
        driver: Driver[SipEvent],
        locator: Locator,
        log: FilteringBoundLogger,
        alarm: Callable[[str, str], None],
    ) -> None:
        self._agent, self._driver, self._locator = agent, driver, locator
        self._log, self._alarm = log, alarm
        self._tasks: set[asyncio.Task[None]] = set()
        self._trunks: dict[str, TrunkOptions] = {}
        self.up: dict[str, bool] = {}
        """Whether each trunk is registered."""
        self._quiet = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        agent.tell_of_registrations(self._soon)

    def want(self, trunks: tuple[TrunkOptions, ...]) -> None:
        """Register with these, and with no others: what is new begins, what is gone or other now is taken back."""
        wanted = {one.name: one for one in trunks if one.register is not None}
        for name, options in list(self._trunks.items()):
            if wanted.get(name) != options:
                self._driver.run(partial(self._agent.leave, name))
                del self._trunks[name]
        for name, options in wanted.items():
            if name not in self._trunks:
                self._trunks[name], self.up[name] = options, False
                self._driver.run(partial(self._agent.register, options))

    def _soon(self) -> None:
        """We may be in the middle of what the agent does."""
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        """See what registrations want and what became of them."""
        for event in self._agent.registration_events():
            self._heard(event)

    async def leave(self) -> None:
        """Take all of them back, and give the registrars a moment to hear of it."""
        self.want(())
        self._quiet.clear()
        if any(self.up.values()):
            try:
                await asyncio.wait_for(self._quiet.wait(), _LEAVE_LIMIT)
            except TimeoutError:
                self._log.warning("registrations left standing", trunks=[name for name, up in self.up.items() if up])
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _heard(self, event: RegistrationEvent) -> None:
        match event:
            case PlacesWanted(trunk, uri):
                task = self._loop.create_task(self._find(trunk, uri))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Registered(trunk, expires, flow):
                if not self.up.get(trunk):
                    self._log.info("registered", trunk=trunk, registrar=str(flow), expires=expires)
                self.up[trunk] = True
            case Unregistered(trunk, status, reason, retry):
                self._lost(trunk, status, reason, retry)

    def _lost(self, trunk: str, status: int, reason: str, retry: float | None) -> None:
        if retry is None and trunk in self._trunks:
            return  # the one before it, whose settings were others
        was_up, self.up[trunk] = self.up.get(trunk, False), False
        if retry is None:
            self._log.info("registration left", trunk=trunk, status=status)
            if not any(self.up.values()):
                self._quiet.set()
            return
        self._log.warning("not registered", trunk=trunk, status=status, reason=reason, retry_in=round(retry, 1))
        if was_up:
            self._alarm("registration_lost", f"{trunk}: {status} {reason}")

    async def _find(self, trunk: str, uri: str) -> None:
        try:
            flows = await self._locator.find(Uri.parse(uri))
        except PeerError as error:  # a transport that we have no listener for
            self._log.error("cannot register", trunk=trunk, registrar=uri, reason=str(error))
            flows = ()
        self._driver.run(lambda now: self._agent.places(trunk, flows, now))
