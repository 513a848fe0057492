"""The worker processes of one gateway: a fixed number of places, a spare that takes one at once, and their watch."""

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sipgw.errors import Unavailable
from sipgw.worker import messages as say
from sipgw.worker.child import Child, Telling
from sipgw.worker.folder import SocketFolder
from sipgw.worker.watch import INTERVAL

START_LIMIT = 30.0
"""Seconds a process may take to be ready."""
FIND_LIMIT = 2.0
"""Seconds one of an earlier control may take to tell what it has."""
STOP_LIMIT = 10.0
"""Seconds it may take to end: backends are told, recordings finished."""
MANY_DEATHS, WITHIN = 5, 60.0
"""So many deaths in so many seconds are a loop: from there on each start waits longer."""
LONGEST_PAUSE = 30.0

Alarm = Callable[[str, str], None]
"""Takes what an operator should look at: a name and a detail."""


class Owner(Protocol):
    """Whose calls the workers have."""

    def held(self, child: Child, held: say.Held, sockets: tuple[int, int]) -> None:
        """A worker holds a session from before."""

    def filled(self, child: Child) -> None:
        """A place is filled: the worker may be given calls."""

    def heard(self, child: Child, message: Telling) -> None:
        """A worker said something."""

    def died(self, child: Child) -> None:
        """A worker is dead. If there is a spare, `filled` follows at once."""


class Crew:
    """Keeps `size` workers and a spare. Make it inside a running loop.

    Args:
        size: how many places there are.
        folder: where they listen.
        setup: what they get at their start.
        owner: takes what they say.
        alarm: takes what an operator should look at.
    """

    def __init__(self, size: int, folder: SocketFolder, setup: say.Setup, owner: Owner, alarm: Alarm) -> None:
        self._loop = asyncio.get_running_loop()
        self._folder, self._owner, self._alarm = folder, owner, alarm
        self._setup = os.memfd_create("sipgw-setup", os.MFD_CLOEXEC)
        with open(self._setup, "wb", closefd=False) as file:
            file.write(say.encode(setup))
        self.places: list[Child | None] = [None] * size
        self.spare: Child | None = None
        self._all: set[Child] = set()
        self._deaths: deque[float] = deque(maxlen=MANY_DEATHS)
        self._pauses = 0
        """Deaths in a row that came too soon after each other."""
        self._news = asyncio.Event()
        self._watching: asyncio.TimerHandle | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._finding = self._closing = self._detailed = False

    # --- coming and going -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Return once every place is filled; the spare may take a moment longer.

        Raises:
            Unavailable: they do not start.
        """
        self._folder.open()
        self._watch()
        self._complete()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._until(lambda: None not in self.places or self._pauses > 0), START_LIMIT)
        if None in self.places:
            raise Unavailable("the media workers do not start; standard error has their last words")

    async def find(self) -> None:
        """Take over the workers of an earlier control; `Owner.held` tells what they have."""
        self._folder.open()
        self._finding = True
        for pid in self._folder.processes():
            try:
                self._all.add(Child.find(pid, self._folder, self))
            except OSError:
                self._folder.remove(pid)
        try:
            await asyncio.wait_for(self._until(lambda: all(child.ready for child in self._all)), FIND_LIMIT)
        except TimeoutError:
            for child in self._all:
                if not child.ready:
                    child.kill("does not answer")
        self._finding = False
        for child in sorted(self._all, key=lambda child: child.sessions, reverse=True):
            if child.ready:
                self._seat(child)

    async def close(self) -> None:
        """End all workers and return when they are gone."""
        self._closing = True
        for timer in (self._watching, self._restart):
            if timer is not None:
                timer.cancel()
        for child in self._all:
            child.shut_down()
        try:
            await asyncio.wait_for(self._until(lambda: not self._all), STOP_LIMIT)
        except TimeoutError:
            for child in self._all:
                child.kill("does not end")
            await self._until(lambda: not self._all)
        os.close(self._setup)

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._news.clear()
            await self._news.wait()

    def _complete(self) -> None:
        """Start as many as are missing."""
        self._restart = None
        while len(self._all) < len(self.places) + 1:
            try:
                self._all.add(Child.start(self._folder, self._setup, self))
            except OSError as error:
                self._alarm("worker_not_started", str(error))
                self._complete_later()
                return

    def _complete_later(self) -> None:
        """Not at once where they die as soon as they live."""
        if self._restart is not None or self._closing:
            return
        now = self._loop.time()
        looping = len(self._deaths) == MANY_DEATHS and now - self._deaths[0] < WITHIN
        self._pauses = self._pauses + 1 if looping else 0
        if self._pauses == 1:
            self._alarm("workers_keep_dying", f"{MANY_DEATHS} in {now - self._deaths[0]:.0f} s")
        pause = min(LONGEST_PAUSE, 0.5 * 2**self._pauses) if looping else 0.0
        self._restart = self._loop.call_later(pause, self._complete)

    def detail(self, on: bool) -> None:
        """Let the workers tell every note, or only how many were drops."""
        self._detailed = on
        for child in self._all:
            child.detail(on)

    @property
    def processes(self) -> list[int]:
        """All there are, by their ids: those with a place, the spare, and those that start or end."""
        return sorted(child.pid for child in self._all)

    # --- who has calls ----------------------------------------------------------------------------------------

    def least(self) -> Child | None:
        """The worker that has least to do."""
        return min(filter(None, self.places), key=lambda child: child.sessions, default=None)

    def _seat(self, child: Child) -> None:
        """A free place for a worker that is ready, or the spare's."""
        if None in self.places:
            self.places[self.places.index(None)] = child
            self._owner.filled(child)
        elif child.sessions:
            self.places.append(child)  # there were more of them before
        elif self.spare is None:
            self.spare = child
        else:
            child.shut_down()

    # --- their word -------------------------------------------------------------------------------------------

    def held(self, child: Child, held: say.Held, sockets: tuple[int, int]) -> None:
        """It holds a session from before."""
        self._owner.held(child, held, sockets)

    def ready(self, child: Child) -> None:
        """It takes commands."""
        child.detail(self._detailed)
        if not self._finding:
            self._seat(child)
        self._news.set()

    def heard(self, child: Child, message: Telling) -> None:
        """It said something."""
        self._owner.heard(child, message)

    def gone(self, child: Child) -> None:
        """It is dead: the spare takes its place, and another spare is started."""
        self._all.discard(child)
        self._news.set()
        if not child.leaving:
            self._deaths.append(self._loop.time())
            self._alarm("worker_died", f"{child.epitaph}; it had {child.sessions} calls")
        if child is self.spare:
            self.spare = None
        self._owner.died(child)
        if child in self.places:
            self.places[self.places.index(child)] = None
            heir, self.spare = self.spare, None
            if heir is not None:
                self._seat(heir)
        self._complete_later()

    # --- their watch ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        self._watching = self._loop.call_later(INTERVAL, self._watch)
        now = time.monotonic()
        for child in self._all:
            if child.is_stuck(now):
                child.kill("stuck")
            elif not child.ready and now - child.born > START_LIMIT:
                child.kill("does not get ready")
