"""The control shell: carries the call core's effects out, in order, and brings their completions back as events.

It decides nothing. What an effect causes at once (ports that are open, say) is heard after the effects that wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Container, Iterable
from functools import partial
from typing import assert_never

from structlog.typing import FilteringBoundLogger

from sipgw.app.places import Places
from sipgw.call import effects as do
from sipgw.call.cdr import CallRecord
from sipgw.call.commands import Command
from sipgw.call.events import HookEvent, PortsFailed, PortsOpened
from sipgw.call.pressure import Load
from sipgw.call.registry import Calls
from sipgw.call.snapshot import CallSnapshot
from sipgw.errors import Cause, PeerError, Unavailable
from sipgw.flow import Flow
from sipgw.io.clock import Clock
from sipgw.io.driver import Driver
from sipgw.io.port_pools import PortPools
from sipgw.io.ports import PortPair
from sipgw.media import plane
from sipgw.ops.hooks.counts import Counts
from sipgw.ops.hooks.service import Hooks
from sipgw.ops.metrics import Metrics
from sipgw.sip.agent import Agent
from sipgw.sip.events import Invited, Lost, SipEvent
from sipgw.sip.reason import Q850, reason
from sipgw.worker.archive import finished
from sipgw.worker.known import Adopted

_RESTARTED = (reason(Q850, Cause.GATEWAY_RESTARTED.q850, Cause.GATEWAY_RESTARTED.record),)


class Control:
    """Everything the effects need.

    Args:
        calls: the call core.
        agent: the SIP agent, whose commands go through `driver`.
        media: the media plane; its events come here from `listen` on.
        pools: where RTP ports come from.
        places: the addresses those are on.
        keep: takes the records of calls that are over.
        settled: called when everything that happened so far was carried out.
    """

    def __init__(
        self,
        calls: Calls,
        agent: Agent,
        media: plane.MediaPlane,
        pools: PortPools,
        places: Places,
        *,
        clock: Clock,
        log: FilteringBoundLogger,
        metrics: Metrics,
        keep: Callable[[CallRecord], None],
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._calls, self._agent, self._media, self._pools = calls, agent, media, pools
        self._places = places
        self._clock, self._log, self._metrics, self._keep = clock, log, metrics, keep
        self._settled = settled
        self._driver: Driver[SipEvent] | None = None
        self.hooks = Hooks(self._on_hook, Counts(metrics.registry), log)
        """Who is asked where calls go."""
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[do.Effect] = deque()
        self._carrying = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ports: dict[str, PortPair] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        """Recordings that are being made whole."""
        self.idle = asyncio.Event()
        """Set while there is no call."""
        self.idle.set()

    def listen(self) -> None:
        """Hear of media from now on, and of what has happened since it was made, or adopted."""
        self._media.listen(self._on_media)

    def drive(self, driver: Driver[SipEvent]) -> None:
        """The driver of the agent; it delivers to `on_sip`."""
        self._driver = driver

    def on_sip(self, event: SipEvent, now: float) -> None:
        """Something happened on the SIP side."""
        if isinstance(event, Invited) and not event.replaces:
            self._metrics.call_began()
        self._carry(self._calls.on_sip(event, now))

    def door(self, source: Flow, now: float) -> PeerError | None:
        """Asked by the agent for every call that comes, before anything is kept of it: how to refuse it right there."""
        refusal = self._calls.door(source.remote[0], now)
        if refusal is None:
            return None
        self._metrics.turned_away(refusal.cause.record)
        why = reason(Q850, refusal.cause.q850, refusal.cause.record)
        return PeerError(refusal.status, "", (*refusal.headers, why))

    def on_load(self, load: Load) -> None:
        """How busy the node was in the last second."""
        self._carry(self._calls.on_load(load, self._clock.now()))

    def take_up(
        self, kept: Collection[CallSnapshot], legs: Container[str], sessions: Iterable[Adopted], when: float
    ) -> None:
        """Go on with the calls of a process that died, or end them; end sessions that are of no call.

        Args:
            kept: the calls.
            legs: those that the agent has again.
            sessions: those that live on.
            when: since when calls without are over: on our clock.
        """
        now = self._clock.now()
        wanted = {one.session for one in kept}
        alive: set[str] = set()
        for known, sockets in sessions:
            self._ports[known.session] = self._pools.adopt(sockets)
            if known.session in wanted:
                alive.add(known.session)
            else:
                self._media.command(plane.DestroySession(known.session))
                self._release_ports(known.session)
        self._pools.rest({one.port for one in kept if one.session not in alive}, now)
        for _ in kept:
            self._metrics.call_began()
        self._carry(self._calls.restore(kept, alive, when))
        for one in kept:
            if one.leg not in legs:
                self._carry(self._calls.on_sip(Lost(one.leg, "gone"), now))
        self._sip(lambda now: None)  # what the agent has had to say, and to wait for, since it has its legs again

    def reunite(self, sessions: Iterable[Adopted]) -> None:
        """Bring calls and sessions to agree, once it was heard what happened in between."""
        for known, _ in sessions:
            self._carry(self._calls.reunite(known.alive, self._clock.now()))

    def hang_up(self, legs: Iterable[str]) -> None:
        """End legs that belong to no call."""
        for leg in legs:
            self._sip(partial(self._agent.hang_up, leg, headers=_RESTARTED))

    def command(self, command: Command) -> None:
        """Carry out what somebody outside wants of a call.

        Raises:
            NoSuchCall: it is over, or never was.
            WrongState: that cannot be had now.
        """
        self._carry(self._calls.on_command(command, self._clock.now()))

    def drain(self) -> None:
        """Take no new calls; those that run may finish, for a time."""
        self._agent.draining = True
        self._carry(self._calls.drain(self._clock.now()))

    def shut_down(self) -> None:
        """Hang up every call and refuse those that ring; `idle` once the far ends know, or do not answer."""
        self._agent.draining = True
        self._carry(self._calls.shut_down(self._clock.now()))

    def close(self) -> None:
        """Stop all timers and give all ports back."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for pair in self._ports.values():
            self._pools.give_back(pair, self._clock.now())
        self._ports.clear()

    def _on_media(self, event: plane.Event) -> None:
        if isinstance(event, plane.RecordingFailed) and event.path:
            self._finish(event)
        else:
            self._hear(event)

    def _finish(self, event: plane.RecordingFailed) -> None:
        """What a worker left of a recording is told of once it is whole, which takes as long as the disk does."""

        async def finish() -> None:
            self._hear(await asyncio.to_thread(finished, event))

        task = self._loop.create_task(finish())
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    def _hear(self, event: plane.Event) -> None:
        self._carry(self._calls.on_media(event, self._clock.now()))

    def _on_hook(self, event: HookEvent) -> None:
        self._carry(self._calls.on_hook(event, self._clock.now()))

    def _on_timer(self, name: str) -> None:
        del self._timers[name]
        self._carry(self._calls.on_timer(name, self._clock.now()))

    def _carry(self, effects: Iterable[do.Effect]) -> None:
        """Carry effects out, and whatever they lead to, until nothing waits."""
        self._waiting.extend(effects)
        if self._carrying:
            return
        self._carrying = True
        try:
            while self._waiting:
                self._guarded(self._waiting.popleft())
        finally:
            self._carrying = False
        self._settled()
        if self._calls.idle:
            self.idle.set()
        else:
            self.idle.clear()

    def _guarded(self, effect: do.Effect) -> None:
        try:
            self._do(effect)
        except Exception:  # noqa: BLE001 a defect met by one call must not end all the others
            # By its kind alone: an effect holds what callers and backends said, and where backends are.
            self._log.error("effect failed", effect=type(effect).__name__, exc_info=True)
            self._waiting.extend(self._calls.on_failure(effect, self._clock.now()))

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.Ring(leg, status, body):
                self._sip(lambda now: self._agent.ring(leg, now, status, body))
            case do.Answer(leg, body):
                self._sip(lambda now: self._agent.answer(leg, body, now))
            case do.Refuse(leg, status, reason, headers):
                self._sip(lambda now: self._agent.refuse(leg, status, now, reason or None, headers))
            case do.HangUp(leg, headers):
                self._sip(lambda now: self._agent.hang_up(leg, now, headers))
            case do.Reinvite(leg, body):
                self._sip(lambda now: self._agent.reinvite(leg, body, now))
            case do.Media(command):
                self._command(command)
            case do.OpenPorts():
                self._open_ports(effect)
            case do.ReleasePorts(name):
                self._release_ports(name)
            case do.Ask(name, hook, question):
                self.hooks.ask(name, hook, question)
            case do.StopAsking(name):
                self.hooks.stop(name)
            case do.StartTimer(name, when):
                delay = max(when - self._clock.now(), 0.0)
                self._timers[name] = self._loop.call_later(delay, self._on_timer, name)
            case do.CancelTimer(name):
                if timer := self._timers.pop(name, None):
                    timer.cancel()
            case do.Log(message, fields):
                self._log.info(message, **fields)
            case do.Record(record):
                self._count(record)
                self._keep(record)
            case _:
                assert_never(effect)

    def _count(self, record: CallRecord) -> None:
        stats = record.stats
        self._metrics.call_ended(
            record.cause,
            answered=record.answered is not None,
            seconds=record.seconds,
            first_audio_ms=stats.first_audio_ms if stats else None,
        )

    def _sip(self, command: Callable[[float], None]) -> None:
        assert self._driver is not None
        self._driver.run(command)

    def _command(self, command: plane.Command) -> None:
        sockets = None
        if isinstance(command, plane.CreateSession):
            sockets = self._ports[command.session].descriptors
        self._media.command(command, sockets)

    def _open_ports(self, wanted: do.OpenPorts) -> None:
        now, name = self._clock.now(), wanted.id
        place = self._places.of(wanted.flow, six=wanted.six)
        try:
            pair = self._pools.take(place.host, now)
        except Unavailable as error:
            self._carry(self._calls.on_ports(PortsFailed(name, str(error)), now))
            return
        self._ports[name] = pair
        self._carry(self._calls.on_ports(PortsOpened(name, self._places.address(place, wanted.flow), pair.port), now))

    def _release_ports(self, name: str) -> None:
        if pair := self._ports.pop(name, None):
            self._pools.give_back(pair, self._clock.now())
