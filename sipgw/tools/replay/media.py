"""A media worker in simulated time: the engine, its sessions and a heartbeat of 5 ms, without sockets."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sipgw.ai.dialect import Connect
from sipgw.ai.registry import Prompts
from sipgw.errors import SipgwError
from sipgw.flow import Endpoint
from sipgw.media import plane
from sipgw.media.batch import Engine, EngineEvent, Happened
from sipgw.media.table import Table
from sipgw.options import MediaOptions
from sipgw.tools.replay.talk import SimulatedPlaced
from sipgw.tools.replay.timeline import Timeline
from sipgw.tools.replay.witness import Heard
from sipgw.trace import Mark, Note, Trace

INTERVAL = 0.005
_ROUNDS = 16
"""Datagrams read from one socket in a sub-tick, at most, as the worker does it."""


@dataclass(slots=True)
class _Port:
    """What waits in the sockets of one session."""

    slot: int
    rtp: deque[tuple[bytes, Endpoint]] = field(default_factory=deque)
    rtcp: deque[tuple[bytes, Endpoint]] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker shares with the rest of the simulation."""

    timeline: Timeline
    trace: Trace
    emit: Callable[[plane.Event], None]
    """Takes events for control."""
    sent: Callable[[str, bytes, float], None]
    """Takes each RTP datagram for a session's far end."""
    witnessed: Callable[[str, Heard], None]
    offline: Callable[[str, Connect], None]


class Media:
    """All sessions of one simulation.

    Args:
        options: the media plane's settings.
        prompts: what can be played, by name.
        around: the rest of the simulation.
        random: draws SSRCs and intervals, the same in every run.
        unix_offset: seconds to add to simulated time for the time of day.
    """

    def __init__(
        self, options: MediaOptions, prompts: Prompts, around: Surroundings, random: Random, unix_offset: float
    ) -> None:
        self._around, self._prompts = around, prompts
        slots = (options.last_port - options.first_port + 1) // 2
        self._engine = Engine(
            options, table=Table.of(slots), trace=around.trace, random=random, unix_offset=unix_offset
        )
        self._placed: dict[str, SimulatedPlaced] = {}
        self._recordings: dict[str, str] = {}
        """Their names, by session."""
        self._ports: dict[str, _Port] = {}
        self._by_slot: dict[int, str] = {}
        self._ticking = False

    # --- commands -------------------------------------------------------------------------------------------------

    def command(self, command: plane.Command) -> None:
        """Carry out a command; what goes wrong comes back as an event. It passes through the seam's encoding."""
        command, now = plane.decode_command(plane.encode(command)), self._around.timeline.now
        try:
            if isinstance(command, plane.CreateSession):
                self._create(command, now)
            elif (placed := self._placed.get(command.session)) is not None:
                _COMMANDS[type(command)](self, placed, command, now)
            else:
                self._note("no_such_session", type(command).__name__)
        except Exception as error:  # noqa: BLE001 as in the worker, a session's failure is an event
            self._broken(command.session, error)

    def _create(self, command: plane.CreateSession, now: float) -> None:
        slot = self._engine.create(command, now)
        self._ports[command.session], self._by_slot[slot] = _Port(slot), command.session
        around = self._around
        placed = SimulatedPlaced(command, self._engine, around.emit, self._broken, self._prompts, set(), around.trace)
        placed.timeline, placed.witnessed, placed.offline = around.timeline, around.witnessed, around.offline
        self._placed[command.session] = placed
        if not self._ticking:
            self._ticking = True
            self._beat(int(now / INTERVAL) + 1)

    def _start(self, placed: SimulatedPlaced, command: plane.StartSession, now: float) -> None:
        self._engine.start(placed.id, now)

    def _update(self, placed: SimulatedPlaced, command: plane.UpdateSession, now: float) -> None:
        self._engine.update(command, now)

    def _connect(self, placed: SimulatedPlaced, command: plane.ConnectBackend, now: float) -> None:
        placed.connect(command, now)

    def _tell(self, placed: SimulatedPlaced, command: plane.Tell, now: float) -> None:
        placed.intent(command.intent, now)

    def _play(self, placed: SimulatedPlaced, command: plane.Play, now: float) -> None:
        placed.play(command, now)

    def _stop_playing(self, placed: SimulatedPlaced, command: plane.StopPlaying, now: float) -> None:
        placed.stop_playing()

    def _send_digits(self, placed: SimulatedPlaced, command: plane.SendDigits, now: float) -> None:
        self._engine.press(command)

    def _note_digit(self, placed: SimulatedPlaced, command: plane.NoteDigit, now: float) -> None:
        self._engine.note_digit(command, now)

    def _start_recording(self, placed: SimulatedPlaced, command: plane.StartRecording, now: float) -> None:
        """Nothing is written: to the call it is as if."""
        self._recordings[placed.id] = command.name
        self._around.emit(plane.RecordingStarted(placed.id, command.name))

    def _stop_recording(self, placed: SimulatedPlaced, command: plane.Command, now: float) -> None:
        name = self._recordings.pop(placed.id, None)
        if name is not None:
            self._around.emit(plane.Recorded(placed.id, name, 0.0, ""))

    def _ignore(self, placed: SimulatedPlaced, command: plane.Command, now: float) -> None:
        """It makes no difference here."""

    def _watch_silence(self, placed: SimulatedPlaced, command: plane.WatchSilence, now: float) -> None:
        self._engine.watch_silence(command, now)

    def _destroy(self, placed: SimulatedPlaced, command: plane.DestroySession, now: float) -> None:
        self._stop_recording(placed, command, now)
        placed.silence("call_ended")
        del self._placed[placed.id]
        self._around.emit(plane.SessionEnded(placed.id, self._close(placed.id, now)))

    def _close(self, session: str, now: float) -> plane.StreamStats:
        stats = self._engine.destroy(session, now)
        self._engine.rtcp_to_send()
        del self._by_slot[self._ports.pop(session).slot]
        return stats

    # --- what comes in --------------------------------------------------------------------------------------------

    def receive(self, session: str, data: bytes, source: Endpoint, rtcp: bool) -> bool:
        """A datagram came to a session's socket; whether there is one."""
        port = self._ports.get(session)
        if port is not None:
            (port.rtcp if rtcp else port.rtp).append((data, source))
        return port is not None

    # --- every 5 ms -----------------------------------------------------------------------------------------------

    def _beat(self, number: int) -> None:
        self._around.timeline.at(number * INTERVAL, lambda: self._serve(number))

    def _serve(self, number: int) -> None:
        """One sub-tick, in the worker's order."""
        engine, now = self._engine, self._around.timeline.now
        for slot, datagram, _ in engine.tick(number, now):
            self._around.sent(self._by_slot[slot], bytes(datagram), now)
        for port in tuple(self._ports.values()):
            self._drain(port, now)
        engine.handle_timers(now)
        for session, audio in engine.decode(now):
            if (placed := self._placed.get(session)) is not None:
                placed.hear(audio)
        engine.rtcp_to_send()
        for event in engine.events():
            self._told(event)
        self._ticking = bool(self._placed)
        if self._ticking:
            self._beat(number + 1)

    def _drain(self, port: _Port, now: float) -> None:
        rtp, rtcp = self._engine.receivers(port.slot)
        for waiting, take in ((port.rtp, rtp), (port.rtcp, rtcp)):
            for _ in range(min(len(waiting), _ROUNDS)):
                data, source = waiting.popleft()
                take(data, source, now)

    def _told(self, event: EngineEvent) -> None:
        placed = self._placed.get(event.session)
        if placed is None:
            return
        if isinstance(event, Happened):
            placed.happened(event.event)
            return
        if isinstance(event, plane.Digit):
            placed.digit(event.digit, event.duration_ms)
        self._around.emit(event)

    # --- failures -------------------------------------------------------------------------------------------------

    def _broken(self, session: str, error: Exception) -> None:
        """End a session that broke, as the worker does."""
        self._note("session_failed", str(error) if isinstance(error, SipgwError) else repr(error))
        placed = self._placed.pop(session, None)
        if placed is not None:
            placed.cut()
            self._close(session, self._around.timeline.now)
        self._around.emit(plane.SessionFailed(session, str(error) or type(error).__name__))

    def _note(self, name: str, detail: str) -> None:
        self._around.trace(Note(self._around.timeline.now, "worker", Mark.DROP, name, detail=detail))


_COMMANDS: dict[type, Callable[[Media, SimulatedPlaced, Any, float], None]] = {
    plane.StartSession: Media._start,
    plane.UpdateSession: Media._update,
    plane.ConnectBackend: Media._connect,
    plane.Tell: Media._tell,
    plane.Play: Media._play,
    plane.StopPlaying: Media._stop_playing,
    plane.SendDigits: Media._send_digits,
    plane.NoteDigit: Media._note_digit,
    plane.StartRecording: Media._start_recording,
    plane.StopRecording: Media._stop_recording,
    plane.PauseRecording: Media._ignore,
    plane.ResumeRecording: Media._ignore,
    plane.WatchSilence: Media._watch_silence,
    plane.DestroySession: Media._destroy,
}
