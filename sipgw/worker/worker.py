"""The worker: carries out the seam's commands on engine, sockets and conversations, and beats every 5 ms.

Whatever goes wrong with one session, an exception of ours included, ends that session and no other.
"""

import asyncio
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from sipgw.ai.registry import Prompts
from sipgw.audio.wav import Encoding
from sipgw.errors import SipgwError, UsageError
from sipgw.media import plane
from sipgw.media.batch import Engine, EngineEvent, Happened
from sipgw.media.table import Table
from sipgw.options import MediaOptions
from sipgw.trace import Mark, Note, Trace, silent
from sipgw.worker.ai_socket import AiSocket
from sipgw.worker.media_io import MediaIo
from sipgw.worker.placed import Placed
from sipgw.worker.recorder import Recorder
from sipgw.worker.recording import Event as RecordingEvent
from sipgw.worker.sink import open_file
from sipgw.worker.tick import Lateness, Ticker

Sockets = tuple[int, int] | None
_WATCH_TICKS = 200
"""Once a second."""


class Worker:
    """All sessions of one process. Make it inside a running loop.

    Args:
        options: the media plane's settings.
        emit: takes events for control.
        prompts: what can be played, by name.
        trace: takes notes.
        table: where the engine counts; by default in this process.
    """

    def __init__(
        self,
        options: MediaOptions,
        emit: Callable[[plane.Event], None],
        prompts: Prompts,
        trace: Trace = silent,
        table: Table | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._emit, self._prompts, self._trace = emit, prompts, trace
        self._table = table or Table.of(options.pairs)
        self._engine = Engine(options, table=self._table, trace=trace, unix_offset=time.time() - time.monotonic())
        self._io = MediaIo(self._engine, self._hear, self._told, self._break)
        self._recorder = Recorder(
            partial(open_file, options.recording), Encoding(options.recording.encoding), self._of_recording, trace
        )
        self._placed: dict[str, Placed] = {}
        self._sockets: set[AiSocket] = set()
        self._broken: dict[str, Exception] = {}
        self._ticker = Ticker(self._serve, self._loop, time.monotonic)
        self.beat()

    @property
    def sessions(self) -> int:
        """How many there are."""
        return len(self._placed)

    @property
    def lateness(self) -> Lateness:
        """How late ticks were served."""
        return self._ticker.lateness

    @property
    def failures(self) -> Counter[str]:
        """Failed system calls on RTP sockets."""
        return self._io.failures

    def beat(self) -> None:
        """Give a sign of life in the table; each tick does as well, but there are none without sessions."""
        self._table.beat(time.monotonic())

    def descriptors(self, session: str) -> tuple[int, int]:
        """The RTP and RTCP sockets of a session."""
        return self._io.descriptors(session)

    # --- commands ---------------------------------------------------------------------------------------------

    def command(self, command: plane.Command, sockets: Sockets = None) -> None:
        """Carry out a command; what goes wrong comes back as an event. The sockets are ours from here on."""
        now = time.monotonic()
        try:
            if isinstance(command, plane.CreateSession):
                self._create(command, sockets, now)
            elif (placed := self._placed.get(command.session)) is not None:
                _COMMANDS[type(command)](self, placed, command, now)
            else:
                # It ended by itself while this was on its way.
                self._note("no_such_session", now, detail=f"{type(command).__name__} {command.session}")
        except Exception as error:  # noqa: BLE001 - a session's failure is an event, whatever it is
            self._fail(command.session, error)

    def _create(self, command: plane.CreateSession, sockets: Sockets, now: float) -> None:
        if sockets is None:
            raise UsageError("a session needs its sockets")
        if command.session in self._placed:
            # The one there is must not suffer from it.
            for descriptor in sockets:
                os.close(descriptor)
            self._note("session_exists", now, command.call, command.session)
            return
        self._io.open(command, sockets, now)
        self._placed[command.session] = Placed(
            command, self._engine, self._emit, self._break, self._prompts, self._sockets, self._trace
        )
        if not self._ticker.running:
            self._ticker.start()

    def _start(self, placed: Placed, command: plane.StartSession, now: float) -> None:
        self._engine.start(placed.id, now)

    def _update(self, placed: Placed, command: plane.UpdateSession, now: float) -> None:
        self._engine.update(command, now)

    def _connect(self, placed: Placed, command: plane.ConnectBackend, now: float) -> None:
        placed.connect(command, now)

    def _tell(self, placed: Placed, command: plane.Tell, now: float) -> None:
        placed.intent(command.intent, now)

    def _play(self, placed: Placed, command: plane.Play, now: float) -> None:
        placed.play(command, now)

    def _stop_playing(self, placed: Placed, command: plane.StopPlaying, now: float) -> None:
        placed.stop_playing()

    def _send_digits(self, placed: Placed, command: plane.SendDigits, now: float) -> None:
        self._engine.press(command)

    def _note_digit(self, placed: Placed, command: plane.NoteDigit, now: float) -> None:
        self._engine.note_digit(command, now)

    def _watch_silence(self, placed: Placed, command: plane.WatchSilence, now: float) -> None:
        self._engine.watch_silence(command, now)

    def _start_recording(self, placed: Placed, command: plane.StartRecording, now: float) -> None:
        if self._recorder.tap(placed.id) is not None:
            self._note("recorded_already", now, placed.call, command.name)
            return
        self._engine.tap(placed.id, self._recorder.begin(placed.id, command.name, now))

    def _stop_recording(self, placed: Placed, command: plane.StopRecording, now: float) -> None:
        self._engine.tap(placed.id, None)
        self._recorder.end(placed.id, now)

    def _pause_recording(self, placed: Placed, command: plane.PauseRecording, now: float) -> None:
        if (tap := self._recorder.tap(placed.id)) is not None:
            tap.pause(now)

    def _resume_recording(self, placed: Placed, command: plane.ResumeRecording, now: float) -> None:
        if (tap := self._recorder.tap(placed.id)) is not None:
            tap.resume(now)

    def _destroy(self, placed: Placed, command: plane.DestroySession, now: float) -> None:
        placed.silence("call_ended")
        self._recorder.end(placed.id, now)
        del self._placed[placed.id]
        self._emit(plane.SessionEnded(placed.id, self._io.close(placed.id, now)))

    # --- every 5 ms, while there is a session ---------------------------------------------------------------------

    def _serve(self, number: int, now: float, missed: int) -> None:
        try:
            self._io.serve(number, now, missed)
        except Exception:  # noqa: BLE001 - the next tick may go well, and the other sessions need it
            self._note("tick_failed", now, detail=traceback.format_exc())
        self._table.beat(now)
        if self._broken:
            self._bury()
        if not number % _WATCH_TICKS:
            self._recorder.watch(now)
        if not self._placed:
            self._ticker.stop()

    def _hear(self, session: str, audio: bytes) -> None:
        placed = self._placed.get(session)
        if placed is not None:
            placed.hear(audio)

    def _told(self, event: EngineEvent) -> None:
        placed = self._placed.get(event.session)
        if placed is None:
            return
        if isinstance(event, Happened):
            placed.happened(event.event)
            return
        if isinstance(event, plane.Digit):
            placed.digit(event.digit, event.duration_ms)
        self._emit(event)

    def _of_recording(self, event: RecordingEvent) -> None:
        """A recording has begun or ended, maybe by itself."""
        if event.session in self._placed and self._recorder.tap(event.session) is None:
            self._engine.tap(event.session, None)
        self._emit(event)

    # --- failures ---------------------------------------------------------------------------------------------

    def _break(self, session: str, error: Exception) -> None:
        """A defect was met; the session ends in a moment, since its sockets may be in use right now."""
        if not self._broken:
            self._loop.call_soon(self._bury)
        self._broken.setdefault(session, error)

    def _bury(self) -> None:
        broken, self._broken = self._broken, {}
        for session, error in broken.items():
            self._fail(session, error)

    def _fail(self, session: str, error: Exception) -> None:
        now = time.monotonic()
        placed = self._placed.pop(session, None)
        lines = "" if isinstance(error, SipgwError) else "".join(traceback.format_exception(error))
        self._note("session_failed", now, placed.call if placed else "", lines or str(error))
        self._recorder.end(session, now)
        if placed is not None:
            try:
                placed.cut()
                self._io.close(session, now)
            except Exception:  # noqa: BLE001 - what is broken may not even close
                self._note("close_failed", now, placed.call, traceback.format_exc())
        self._emit(plane.SessionFailed(session, str(error) or type(error).__name__))

    def _note(self, name: str, now: float, call: str = "", detail: str = "") -> None:
        self._trace(Note(now, "worker", Mark.DROP, name, call, detail))

    # --- the end ----------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End all sessions and release everything. Closing handshakes with backends get their time, a second."""
        for session in tuple(self._placed):
            self.command(plane.DestroySession(session))
        await self._recorder.close()
        while self._sockets:
            await asyncio.gather(*(each.wait_closed() for each in tuple(self._sockets)))
            await asyncio.sleep(0)
        self._ticker.stop()
        self._io.shut(time.monotonic())


_COMMANDS: dict[type, Callable[[Worker, Placed, Any, float], None]] = {
    plane.StartSession: Worker._start,
    plane.UpdateSession: Worker._update,
    plane.ConnectBackend: Worker._connect,
    plane.Tell: Worker._tell,
    plane.Play: Worker._play,
    plane.StopPlaying: Worker._stop_playing,
    plane.SendDigits: Worker._send_digits,
    plane.NoteDigit: Worker._note_digit,
    plane.WatchSilence: Worker._watch_silence,
    plane.StartRecording: Worker._start_recording,
    plane.StopRecording: Worker._stop_recording,
    plane.PauseRecording: Worker._pause_recording,
    plane.ResumeRecording: Worker._resume_recording,
    plane.DestroySession: Worker._destroy,
}
