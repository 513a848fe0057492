"""The control shell in simulated time: carries the call core's effects out, in order, as the gateway's does."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import assert_never

from sipgw.call import effects as do
from sipgw.call.cdr import CallRecord
from sipgw.call.events import HookFailed, PortsFailed, PortsOpened
from sipgw.call.registry import Calls
from sipgw.flow import Endpoint, Flow
from sipgw.media import plane
from sipgw.options import MediaOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import Invited, SipEvent
from sipgw.tools.replay.media import Media
from sipgw.tools.replay.timeline import Appointment, Timeline


class Control:
    """Everything the effects need.

    Args:
        agent: the SIP agent.
        calls: the call core.
        media: the media worker; its events are to be handed to `on_media`.
        options: for the range of ports.
        timeline: simulated time.
        send: takes what the agent sends.
        recorded: takes each call's record.
    """

    def __init__(
        self,
        agent: Agent,
        calls: Calls,
        media: Media,
        options: MediaOptions,
        timeline: Timeline,
        send: Callable[[bytes, Flow], None],
        recorded: Callable[[CallRecord], None],
    ) -> None:
        self._agent, self._calls, self._media, self._timeline = agent, calls, media, timeline
        self._send, self._recorded = send, recorded
        self._ports = deque(range(options.first_port, options.last_port, 2))
        self._taken: dict[str, int] = {}
        self._timers: dict[str, Appointment] = {}
        self._alarm: Appointment | None = None
        self._due: float | None = None
        self._waiting: deque[do.Effect] = deque()
        self._told: deque[plane.Event] = deque()
        self._here = ""
        self.sessions: dict[Endpoint, str] = {}
        """The session behind each of our media addresses."""
        self.calling: dict[str, str] = {}
        """The Call-ID of each session."""

    # --- what happens ---------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Flow) -> None:
        """A SIP datagram came."""
        self._agent.receive(data, source, self._timeline.now)

    def on_media(self, event: plane.Event) -> None:
        """The media plane said something; it is heard in the next turn, as from another process."""
        self._told.append(plane.decode_event(plane.encode(event)))

    def settle(self) -> None:
        """Carry on until nobody has anything more to say at this moment."""
        now = self._timeline.now
        while True:
            for data, flow in self._agent.to_send():
                self._send(data, flow)
            if events := self._agent.events():
                for event in events:
                    self._on_sip(event, now)
            elif self._told:
                self._carry(self._calls.on_media(self._told.popleft(), now))
            else:
                break
        self._set_alarm()

    @property
    def idle(self) -> bool:
        """Whether there is no call."""
        return self._calls.idle

    def _set_alarm(self) -> None:
        """One appointment for the agent's timers, and none while no call wants one."""
        due = None if self._calls.idle else self._agent.next_timer()
        if due == self._due:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._due = due
        self._alarm = None if due is None else self._timeline.at(due, self._ring)

    def _ring(self) -> None:
        self._due = None
        self._agent.handle_timers(self._timeline.now)

    def _on_sip(self, event: SipEvent, now: float) -> None:
        effects = self._calls.on_sip(event, now)
        if isinstance(event, Invited):
            self._here = event.flow.local[0]
            for effect in effects:
                if isinstance(effect, do.OpenPorts):
                    self.calling[effect.id] = event.request.call_id
        self._carry(effects)

    # --- effects --------------------------------------------------------------------------------------------------

    def _carry(self, effects: Iterable[do.Effect]) -> None:
        self._waiting.extend(effects)
        while self._waiting:
            self._do(self._waiting.popleft(), self._timeline.now)

    def _do(self, effect: do.Effect, now: float) -> None:
        agent = self._agent
        match effect:
            case do.Ring(leg, status, body):
                agent.ring(leg, now, status, body)
            case do.Answer(leg, body):
                agent.answer(leg, body, now)
            case do.Refuse(leg, status, reason, headers):
                agent.refuse(leg, status, now, reason or None, headers)
            case do.HangUp(leg, headers):
                agent.hang_up(leg, now, headers)
            case do.Reinvite(leg, body):
                agent.reinvite(leg, body, now)
            case do.Media(command):
                self._media.command(command)
            case do.OpenPorts(id=name):
                self._open_ports(name, now)
            case do.ReleasePorts(name):
                self._release_ports(name)
            case do.Ask(name):
                # There is no network here, nor anybody's service: the next target has the call.
                self._waiting.extend(self._calls.on_hook(HookFailed(name, "offline"), now))
            case do.StopAsking():
                pass  # it has failed already
            case do.StartTimer(name, when):
                self._timers[name] = self._timeline.at(when, lambda: self._fire(name))
            case do.CancelTimer(name):
                if timer := self._timers.pop(name, None):
                    timer.cancel()
            case do.Log():
                pass  # the record says the same
            case do.Record(record):
                self._recorded(record)
            case _:
                assert_never(effect)

    def _fire(self, name: str) -> None:
        del self._timers[name]
        self._carry(self._calls.on_timer(name, self._timeline.now))

    def _open_ports(self, name: str, now: float) -> None:
        if not self._ports:
            self._waiting.extend(self._calls.on_ports(PortsFailed(name, "no RTP ports left"), now))
            return
        port = self._taken[name] = self._ports.popleft()
        self.sessions[self._here, port] = self.sessions[self._here, port + 1] = name
        self._waiting.extend(self._calls.on_ports(PortsOpened(name, self._here, port), now))

    def _release_ports(self, name: str) -> None:
        if (port := self._taken.pop(name, None)) is not None:
            self._ports.append(port)
            for end in [end for end, session in self.sessions.items() if session == name]:
                del self.sessions[end]
