"""One session as the worker sees it: who speaks to its far end, a backend or a prompt."""

from collections.abc import Callable

from sipgw.ai.dialect import Dialect
from sipgw.ai.events import CallerSpeech, Failed, Intent, Report
from sipgw.ai.registry import Prompts, make_dialect
from sipgw.audio import playout
from sipgw.media import plane
from sipgw.media.batch import Engine
from sipgw.media.cover import PromptEnded
from sipgw.trace import Mark, Note, Trace
from sipgw.worker.ai_socket import AiSocket
from sipgw.worker.conversations import Talk


class Placed:
    """A session: its engine slot is joined here with the talk of the hour.

    Args:
        command: what created it.
        engine: has the slot.
        emit: takes events for control.
        broken: takes an exception that ended the session: a defect of ours.
        prompts: what can be played.
        sockets: every backend socket of the worker that is not yet closed.
        trace: takes notes.
    """

    __slots__ = (
        "_broken", "_emit", "_engine", "_prompt", "_prompts", "_sockets", "_talk", "_trace", "call", "id",
    )  # fmt: skip

    def __init__(
        self,
        command: plane.CreateSession,
        engine: Engine,
        emit: Callable[[plane.Event], None],
        broken: Callable[[str, Exception], None],
        prompts: Prompts,
        sockets: set[AiSocket],
        trace: Trace,
    ) -> None:
        self.id, self.call = command.session, command.call
        self._engine, self._emit, self._broken = engine, emit, broken
        self._prompts, self._sockets, self._trace = prompts, sockets, trace
        self._talk: Talk | None = None
        self._prompt: plane.Play | None = None

    # --- a backend --------------------------------------------------------------------------------------------

    def connect(self, command: plane.ConnectBackend, now: float) -> None:
        """Open a conversation in place of the one before; a prompt plays on."""
        self._end_talk("replaced")

        def report(told: Report) -> None:
            self._emit(plane.Reported(self.id, command.attempt, told))

        try:
            dialect = make_dialect(command.backend, command.facts, self._prompts)
        except ValueError as error:
            report(Failed("bad_settings", permanent=True, detail=str(error)))
            return
        self._talk = self._join(command, dialect, report)
        self._talk.start()

    def _join(self, command: plane.ConnectBackend, dialect: Dialect, report: Callable[[Report], None]) -> Talk:
        backend = command.backend
        self._engine.set_audio(self.id, dialect.audio_format, backend.live)
        self._engine.set_vad(self.id, backend.barge_in in ("local", "both"))
        queue = self._engine.playout(self.id)
        return Talk(command, dialect, queue, report, self._defect, self._sockets, self._trace)

    def _defect(self, error: Exception) -> None:
        self._broken(self.id, error)

    def intent(self, intent: Intent, now: float) -> None:
        """Hand an intent to the conversation."""
        if self._talk is None:
            self._trace(Note(now, "worker", Mark.DROP, "no_conversation", self.call, type(intent).__name__))
        else:
            self._talk.intent(intent)

    def hear(self, audio: bytes) -> None:
        """The far end said this."""
        if self._talk is not None:
            self._talk.audio(audio)

    def digit(self, digit: str, duration_ms: int) -> None:
        """The far end pressed a key."""
        if self._talk is not None:
            self._talk.digit(digit, duration_ms)

    # --- a prompt ---------------------------------------------------------------------------------------------

    def play(self, command: plane.Play, now: float) -> None:
        """Play a prompt over the conversation, in place of one that plays."""
        self.stop_playing()
        self._prompt = command
        if command.prompt not in self._prompts:
            self._trace(Note(now, "worker", Mark.DROP, "unknown_prompt", self.call, command.prompt))
            self._end_prompt(complete=False)
            return
        self._engine.cover(self.id, self._prompts[command.prompt])

    def stop_playing(self) -> None:
        """End the prompt that plays."""
        self._engine.uncover(self.id)
        self._end_prompt(complete=False)

    def happened(self, event: playout.PlayoutEvent | CallerSpeech | PromptEnded) -> None:
        """Something left for the far end, or our VAD heard it."""
        if isinstance(event, PromptEnded):
            self._prompt_ended()
        elif self._talk is not None:
            if isinstance(event, CallerSpeech):
                self._talk.caller_speech(event.speaking)
            else:
                self._talk.playout_event(event)

    def _prompt_ended(self) -> None:
        if self._prompt is not None and self._prompt.repeat:
            self._engine.cover(self.id, self._prompts[self._prompt.prompt])
        else:
            self._end_prompt(complete=True)

    def _end_prompt(self, complete: bool) -> None:
        command, self._prompt = self._prompt, None
        if command is not None:
            self._emit(plane.Played(self.id, command.prompt, complete, command.play))

    # --- the end ----------------------------------------------------------------------------------------------

    def silence(self, reason: str) -> None:
        """End whatever speaks."""
        self._end_prompt(complete=False)
        self._end_talk(reason)

    def _end_talk(self, reason: str) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.end(reason)
            self._engine.set_audio(self.id, None)

    def cut(self) -> None:
        """End it at once; something is broken."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.cut()
