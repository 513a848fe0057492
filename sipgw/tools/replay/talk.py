"""The worker's sessions and conversations, as they are, but in simulated time and without sockets."""

import traceback
from collections.abc import Callable

from sipgw.ai.conversation import Conversation
from sipgw.ai.dialect import Connect, Dialect
from sipgw.ai.events import Failed, Report
from sipgw.audio.playout import Playout
from sipgw.media.plane import ConnectBackend
from sipgw.tools.replay.timeline import Appointment, Timeline
from sipgw.tools.replay.witness import Heard, Witness
from sipgw.trace import Trace
from sipgw.worker.conversations import Talk
from sipgw.worker.placed import Placed


class SimulatedTalk(Talk):
    """The worker's talk with another clock: its deeds are inherited, time and opening are not."""

    def __init__(
        self,
        command: ConnectBackend,
        dialect: Dialect,
        playout: Playout,
        report: Callable[[Report], None],
        broken: Callable[[Exception], None],
        timeline: Timeline,
        trace: Trace,
    ) -> None:
        self.playout = playout
        self._report, self._broken, self._trace = report, broken, trace
        self._conversation = Conversation(
            dialect,
            barge_in=command.backend.barge_in,
            farewell_limit=command.farewell_limit,
            trace=trace,
            call=command.facts.call,
        )
        self._timeline = timeline
        self._appointment: Appointment | None = None
        self._due = self._socket = self._timer = self._opening = self._deadline = None
        self._over = False

    def start(self) -> None:
        """Open the backend; one that needs the network has failed."""
        self._do(self._open)

    def audio(self, audio: bytes | memoryview) -> None:
        """The caller said this; the worker's own reads the clock."""
        self._do(self._hear, audio)

    def _hear(self, audio: bytes | memoryview, now: float) -> None:
        self._conversation.caller_audio(audio, now)  # a built-in backend has no messages to send

    def _open(self, now: float) -> None:
        if self._conversation.connect(now) is not None:
            self._conversation.backend(Failed("offline", permanent=True, detail="it needs the network"), now)

    def cut(self) -> None:
        """End at once."""
        super().cut()
        self._arm(None, self._timeline.now)

    def _do(self, method: Callable[..., None], *arguments: object) -> None:
        if self._over:
            return
        now = self._timeline.now
        try:
            method(*arguments, now)
            self._carry_out(now)
        except Exception as error:  # noqa: BLE001 as in the worker, a defect costs its own call
            self.cut()
            error.add_note(traceback.format_exc())
            self._broken(error)

    def _arm(self, due: float | None, now: float) -> None:
        if self._appointment is not None:
            self._appointment.cancel()
        self._due, self._appointment = due, None
        if due is not None:
            self._appointment = self._timeline.at(due, self._wake)


class SimulatedPlaced(Placed):
    """The worker's session, with simulated talks and a witness beside each backend."""

    timeline: Timeline
    witnessed: Callable[[str, Heard], None]
    """Takes the session and what a new witness has seen."""
    offline: Callable[[str, Connect], None]
    """Takes a backend's name and what it would have connected to."""

    def _join(self, command: ConnectBackend, dialect: Dialect, report: Callable[[Report], None]) -> Talk:
        backend, engine = command.backend, self._engine
        heard = Heard(backend.name, dialect.audio_format)
        self.witnessed(self.id, heard)
        watched = Witness(dialect, heard, lambda connect: self.offline(backend.name, connect))
        engine.set_audio(self.id, dialect.audio_format, backend.live)
        engine.set_vad(self.id, backend.barge_in in ("local", "both"))
        queue = engine.playout(self.id)
        return SimulatedTalk(command, watched, queue, report, self._defect, self.timeline, self._trace)
