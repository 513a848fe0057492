"""`ProcessPlane`: the media plane in processes of its own, whose calls outlive them.

Each session is written down here as commands and events have made it. A worker that dies leaves its state table; the
spare gets the sessions' descriptors and is told to go on with each.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from sipgw.ai.events import Ready
from sipgw.ai.registry import Prompts
from sipgw.media import plane
from sipgw.media.continuing import last_counters
from sipgw.options import MediaOptions
from sipgw.trace import Mark, Note, Trace, silent
from sipgw.worker import messages as say
from sipgw.worker.child import Child, Telling
from sipgw.worker.crew import Alarm, Crew
from sipgw.worker.delivery import Delivery
from sipgw.worker.folder import SocketFolder
from sipgw.worker.housed import MANY_LOSSES, Housed
from sipgw.worker.known import Adopted, Known

ALONE_LIMIT = 10.0
HOMELESS_LIMIT = 5.0
"""Seconds a session waits for a worker."""

Dropped = Callable[[str, str, int], None]
"""Takes a layer, the name of a reason, and how many were dropped for it."""


def _nothing(*_: object) -> None:
    """Nobody wants to know."""


class ProcessPlane:
    """Workers in processes of their own. Make it inside a running loop.

    Args:
        options: the media plane's settings.
        prompts: what can be played: PCM16 at 24 kHz by name.
        workers: how many.
        folder: where they listen for a control process that comes back; None: a temporary one, where none looks.
        alone_limit: seconds for which they keep calls up without us.
        trace: takes notes; the workers' as well, where `detail` was wanted.
        dropped: takes what workers dropped, once a second.
        alarm: takes what an operator should look at.
    """

    def __init__(
        self,
        options: MediaOptions,
        prompts: Prompts,
        workers: int,
        *,
        folder: Path | None = None,
        alone_limit: float = ALONE_LIMIT,
        trace: Trace = silent,
        dropped: Dropped = _nothing,
        alarm: Alarm = _nothing,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._trace, self._dropped = trace, dropped
        self._delivery = Delivery()
        self._sessions: dict[str, Housed] = {}
        self._finishing: dict[Child, dict[str, Known]] = {}
        """Sessions that are over, but for their recordings."""
        self._folder = SocketFolder(folder)
        setup = say.Setup(options, dict(prompts), alone_limit)
        self.crew = Crew(workers, self._folder, setup, self, alarm)

    @property
    def workers(self) -> dict[str, Child]:
        """Those that have calls or may have, by the number of their place."""
        return {str(place): child for place, child in enumerate(self.crew.places) if child is not None}

    # --- commands ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the workers. Raises Unavailable."""
        await self.crew.start()

    def detail(self, on: bool) -> None:
        """Tell every note of the workers from now on, or only how many were dropped."""
        self.crew.detail(on)

    async def adopt(self) -> list[Adopted]:
        """Take over what workers of an earlier control in the same folder have kept up. Before `start`.

        They live on as ours; end the sessions you have no use for. Their events since wait for `listen`.
        """
        await self.crew.find()
        return [Adopted(one.known, (os.dup(one.sockets[0]), os.dup(one.sockets[1]))) for one in self._sessions.values()]

    def command(self, command: plane.Command, sockets: tuple[int, int] | None = None) -> None:
        """Carry out `command` wherever its session lives; where it waits for a worker, once it has one."""
        if isinstance(command, plane.CreateSession):
            self._create(command, sockets)
            return
        session = self._sessions.get(command.session)
        if session is None:
            self._note("no_such_session", detail=f"{type(command).__name__} {command.session}")
            return
        session.known.command(command)
        if session.child is not None:
            session.child.send(command)
        elif session.known.ending:
            self._end(session)

    def _create(self, command: plane.CreateSession, sockets: tuple[int, int] | None) -> None:
        if sockets is None:
            self._delivery.add(plane.SessionFailed(command.session, "a session needs its sockets"))
            return
        if command.session in self._sessions:
            self._note("session_exists", command.call, command.session)
            return
        session = Housed(Known.of(command), (os.dup(sockets[0]), os.dup(sockets[1])))
        self._sessions[command.session] = session
        child = self.crew.least()
        if child is None:
            self._wait(session)
        else:
            session.settle(child)
            child.send(command, session.sockets)

    def listen(self, listener: Callable[[plane.Event], None]) -> None:
        """Send every event to `listener` from now on; those that waited for one come first."""
        self._delivery.listen(listener)

    async def close(self) -> None:
        """End all sessions and workers; their last events are delivered before this returns."""
        await self.crew.close()
        for session in tuple(self._sessions.values()):
            self._end(session)
        self._folder.close()
        self._delivery.flush()

    # --- where sessions live ----------------------------------------------------------------------------------

    def _wait(self, *sessions: Housed) -> None:
        """They have no worker; the next one that is ready takes them."""
        deadline = self._loop.time() + HOMELESS_LIMIT
        for session in sessions:
            session.deadline = deadline
        self._loop.call_at(deadline, self._give_up, deadline, sessions)

    def _give_up(self, deadline: float, sessions: tuple[Housed, ...]) -> None:
        for session in sessions:
            waits = session.child is None and session.deadline == deadline
            if waits and self._sessions.get(session.known.session) is session:
                self._fail(session, "no media worker")

    def _fail(self, session: Housed, reason: str) -> None:
        self._forget(session)
        self._delivery.add(plane.SessionFailed(session.known.session, reason))

    def _end(self, session: Housed) -> None:
        """It is over, with the counters that its last worker left."""
        self._forget(session)
        after = session.continuation()
        stats = last_counters(after, session.known.stream) if after else plane.StreamStats()
        self._delivery.add(plane.SessionEnded(session.known.session, stats))

    def _forget(self, session: Housed) -> None:
        name = session.known.session
        del self._sessions[name]
        if session.child is not None:
            session.child.sessions -= 1
            if session.known.recording is not None:
                self._finishing.setdefault(session.child, {})[name] = session.known
        session.close()

    # --- the workers' word ------------------------------------------------------------------------------------

    def held(self, child: Child, held: say.Held, sockets: tuple[int, int]) -> None:
        """A worker holds a session from before."""
        session = self._sessions[held.known.session] = Housed(held.known, sockets)
        session.settle(child)

    def filled(self, child: Child) -> None:
        """A worker may be given calls: those first that have none."""
        for session in tuple(self._sessions.values()):
            if session.child is None:
                session.settle(child)
                self._again(session, child)

    def _again(self, session: Housed, child: Child) -> None:
        create, *others = session.known.again(session.continuation())
        child.send(create, session.sockets)
        for command in others:
            child.send(command)

    def died(self, child: Child) -> None:
        """Its sessions go on with what its table says."""
        lost = [session for session in self._sessions.values() if session.child is child]
        slots = child.table.slots() if child.table else {}
        now = self._loop.time()
        for event in [event for known in self._finishing.pop(child, {}).values() for event in known.lost()]:
            self._delivery.add(event)
        for session in lost:
            self._lose(session)
            session.lose(child.table, slots.get(session.known.session), now)
            if session.known.ending:
                self._end(session)
            elif session.suspect(now):
                self._fail(session, f"lost {MANY_LOSSES} media workers")
        self._wait(*lost)

    def _lose(self, session: Housed) -> None:
        """Tell what ended with its worker, once it is to go on without."""
        again = session.known.recording if not session.known.recorded else None
        for event in session.known.lost():
            session.known.event(event)
            self._delivery.add(event)
        session.known.recording = again

    def heard(self, child: Child, message: Telling) -> None:
        """A worker said something."""
        match message:
            case say.Counted(drops=drops):
                for name, count in drops.items():
                    layer, _, reason = name.partition(" ")
                    self._dropped(layer, reason, count)
            case say.Noted():
                self._trace(Note(message.when, message.layer, message.mark, message.name, message.call, message.detail))
            case say.Logged(level=level, text=text):
                logging.getLogger(__name__).log(level, "worker %d: %s", child.pid, text)
            case _:
                self._event(message, child)

    def _event(self, event: plane.Event, child: Child) -> None:
        session = self._sessions.get(event.session)
        if session is None or session.child is not child:
            self._late_event(event, child)
            return
        if isinstance(event, plane.SessionEnded | plane.SessionFailed):
            self._forget(session)
        elif isinstance(event, plane.Reported) and isinstance(event.report, Ready) and session.known.ready:
            return  # the same attempt, resumed elsewhere: to the call it has long been ready
        if child.ready:  # else it is from the time before, and what is known knows of it
            session.known.event(event)
        self._delivery.add(event)

    def _late_event(self, event: plane.Event, child: Child) -> None:
        """A recording may be finished after its session; other last words were not waited for."""
        finishing = self._finishing.get(child, {})
        if (known := finishing.get(event.session)) is not None:
            self._delivery.add(event)
            known.event(event)
            if known.recording is None:
                del finishing[event.session]

    def _note(self, name: str, call: str = "", detail: str = "") -> None:
        self._trace(Note(time.monotonic(), "worker", Mark.DROP, name, call, detail))
        self._dropped("worker", name, 1)
