"""The `openai-realtime` dialect: OpenAI's Realtime interface (GA), and everything that speaks like it.

socket open ─ session.created ─► session.update ─ session.updated ─► ready ─ Started ─► greeting, turns …
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from sipgw.ai import closing
from sipgw.ai import openai_wire as wire
from sipgw.ai.dialect import Connect
from sipgw.ai.events import (
    BackendEvent,
    CallerSpeech,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    DigitPressed,
    Dropped,
    Ended,
    Failed,
    GatewayEvent,
    Interrupted,
    Ready,
    Say,
    Speech,
    SpeechEnded,
    Started,
    ToolResult,
    Transcript,
)
from sipgw.ai.openai_memory import Memory
from sipgw.ai.openai_session import (
    audio_format,
    connection,
    refused_format,
    session_update,
    settings_of,
)
from sipgw.ai.openai_tools import FunctionCalls
from sipgw.ai.openai_turns import Responses, Utterances
from sipgw.options import BackendOptions

CREATED_WAIT = 1.0
"""Seconds given to `session.created` before we speak first: some servers wait for us."""
UPDATED_WAIT = 2.0
"""Seconds given to `session.updated`; a server that never says it, and no error either, has taken our session."""

PERMANENT = frozenset(
    {
        "authentication_error",
        "permission_error",
        "invalid_api_key",
        "insufficient_quota",
        "model_not_found",
        "unsupported_country_region_territory",
        "account_deactivated",
    }
)
"""Codes and types of errors after which nothing more will come, now or at another try."""
FATAL = PERMANENT | {"session_expired"}


class State(Enum):
    """How far the session is set up."""

    CLOSED = auto()
    OPENED = auto()
    """The socket is open, the session not yet described."""
    DESCRIBED = auto()
    """`session.update` is sent."""
    READY = auto()


class OpenAIRealtime:
    """One conversation with a Realtime server. Raises ValueError for settings that make no sense."""

    frame_ms = 20

    def __init__(self, options: BackendOptions, facts: CallFacts) -> None:
        self.audio_format = audio_format(options)
        self._options = options
        self._facts = facts
        self._settings = settings_of(options, facts)
        self._memory = Memory(facts.said, self._settings.beta)
        self._out: list[str | bytes] = []
        self._events: list[BackendEvent] = []
        self._reset()

    def _reset(self) -> None:
        self._state = State.CLOSED
        self._ending = False
        self._due: float | None = None
        self._utterances = Utterances(self.audio_format)
        self._responses = Responses()
        self._calls = FunctionCalls()

    # --- the connection ---------------------------------------------------------------------------------------

    def open(self, now: float) -> Connect | None:
        """The connection to open; a reconnection starts a new session, which is told what was said."""
        self._reset()
        self._out.clear()
        return connection(self._options, self._settings)

    def connected(self, now: float) -> None:
        """Wait for the server's first word, but not for ever."""
        self._state, self._due = State.OPENED, now + CREATED_WAIT

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """Report the loss, unless we were closing."""
        self._due = None
        if self._state is not State.CLOSED and not self._ending:
            self._events.append(closing.failure(code, reason))
        self._state = State.CLOSED

    def handle_timers(self, now: float) -> None:
        """Go on without the word that did not come."""
        if self._due is None or now < self._due:
            return
        self._due = None
        if self._state is State.OPENED:
            self._describe(now)
        elif self._state is State.DESCRIBED:
            self._ready()

    def next_timer(self) -> float | None:
        """When setting up goes on by itself."""
        return self._due

    def to_send(self) -> list[str | bytes]:
        """Take the messages to send, in order."""
        taken, self._out = self._out, []
        return taken

    def events(self) -> list[BackendEvent]:
        """Take what the backend said, in order."""
        taken, self._events = self._events, []
        return taken

    # --- towards the backend ----------------------------------------------------------------------------------

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """The message that carries a frame of the caller's audio."""
        return wire.append(frame) if self._state is State.READY else None

    def send(self, event: GatewayEvent, now: float) -> None:
        """Translate an event; those the interface has no word for are left out."""
        match event:
            case Started():
                self._greet()
            case DigitPressed(digit=digit):
                self._digit(digit)
            case Interrupted():
                self._interrupted(event)
            case ToolResult():
                self._tool_result(event)
            case Say(text=text):
                self._respond(wire.say(text))
            case CallerSpeech(speaking=speaking):
                self._manual_turn(speaking)
            case Ended():
                self._ending = True

    def _greet(self) -> None:
        greeting = self._settings.greeting
        if greeting and not self._facts.resumed:
            self._respond(wire.say(greeting) if isinstance(greeting, str) else {})

    def _digit(self, digit: str) -> None:
        if self._settings.digits == "ignore":
            return
        self._out.append(wire.user_text(f"The caller pressed the key {digit} on the telephone."))
        if self._settings.digits == "respond":
            self._respond({})

    def _tool_result(self, result: ToolResult) -> None:
        self._out.append(wire.tool_output(result.id, result.output))
        if not self._calls.ends_the_call(result.id):
            self._respond({})

    def _manual_turn(self, speaking: bool) -> None:
        """Without turn detection of the server's, our VAD's word ends the caller's turn."""
        if self._settings.vad is None and not speaking:
            self._out.append(wire.event("input_audio_buffer.commit"))
            self._respond({})

    def _interrupted(self, event: Interrupted) -> None:
        self._out += self._responses.cancel()
        self._out += self._utterances.truncate(event)

    def _respond(self, response: dict[str, object]) -> None:
        self._out += self._responses.ask(response)

    # --- from the backend -------------------------------------------------------------------------------------

    def receive(self, message: str | bytes, now: float) -> None:
        """Translate a message; what makes no sense is a named drop, what is new passes."""
        try:
            event = wire.decode(message)
            _HANDLERS[type(event)](self, event, now)
        except wire.Unusable as unusable:
            if unusable.reason:
                self._drop(unusable.reason, unusable.detail)

    def _drop(self, reason: str, detail: str = "") -> None:
        self._events.append(Dropped(reason, detail))

    def _on_created(self, event: wire.SessionCreated, now: float) -> None:
        if self._state is State.OPENED:
            self._describe(now)

    def _describe(self, now: float) -> None:
        self._state, self._due = State.DESCRIBED, now + UPDATED_WAIT
        self._out.append(wire.event("session.update", session=session_update(self._settings, self.audio_format)))

    def _on_updated(self, event: wire.SessionUpdated, now: float) -> None:
        if self._state is not State.DESCRIBED:
            return
        if other := refused_format(event.session, self._settings, self.audio_format):
            self._fail("audio_format_refused", permanent=True, detail=other)
        else:
            self._ready()

    def _ready(self) -> None:
        self._state, self._due = State.READY, None
        self._out += self._memory.told()
        self._events.append(Ready())

    def _fail(self, reason: str, permanent: bool, detail: str) -> None:
        self._ending, self._due = True, None
        self._events.append(Failed(reason, permanent, detail))

    def _on_audio(self, event: wire.AudioDelta, now: float) -> None:
        audio = wire.samples(event.delta, self.audio_format.sample_bytes)
        self._utterances.add(event.item_id, event.content_index, len(audio))
        self._events.append(Speech(audio, event.item_id))

    def _on_audio_done(self, event: wire.AudioDone, now: float) -> None:
        self._utterances.complete(event.item_id)
        self._events.append(SpeechEnded(event.item_id))

    def _on_speech_started(self, event: wire.SpeechStarted, now: float) -> None:
        if self._settings.server_interrupts:
            self._responses.cancelled_by_server()
        self._events.append(CallerSpoke())

    def _on_speech_stopped(self, event: wire.SpeechStopped, now: float) -> None:
        self._events.append(CallerStopped())

    def _on_agent_transcript(self, event: wire.AgentTranscript, now: float) -> None:
        self._memory.add("agent", event.transcript)
        self._events.append(Transcript("agent", event.transcript, item=event.item_id))

    def _on_caller_transcript(self, event: wire.CallerTranscript, now: float) -> None:
        self._memory.add("caller", event.transcript)
        self._events.append(Transcript("caller", event.transcript, item=event.item_id))

    def _on_response_created(self, event: wire.ResponseCreated, now: float) -> None:
        self._responses.created(event.response.id or "")

    def _on_response_done(self, event: wire.ResponseDone, now: float) -> None:
        details = event.response.status_details
        if event.response.status == "failed":
            self._server_error("response_failed", (details and details.error) or wire.ServerError())
        self._out += self._responses.done()

    def _on_error(self, event: wire.ErrorEvent, now: float) -> None:
        error = event.error
        if error.code == "conversation_already_has_active_response":
            self._responses.refused()
        if self._state is State.DESCRIBED:
            # Until the session stands, all we ever sent was its description.
            self._fail("session_refused", permanent=True, detail=str(error))
            return
        self._server_error("backend_error", error)

    def _server_error(self, reason: str, error: wire.ServerError) -> None:
        """Most errors leave the session open; those that do not are failures."""
        codes = {error.code, error.type}
        if codes & FATAL:
            self._fail(reason, permanent=bool(codes & PERMANENT), detail=str(error))
        else:
            self._drop(reason, str(error))

    def _on_arguments(self, event: wire.ArgumentsDone, now: float) -> None:
        if event.name:
            self._called(event.call_id, event.name, event.arguments)

    def _on_item(self, event: wire.ItemDone, now: float) -> None:
        item = event.item
        if item.type == "function_call" and item.call_id and item.name:
            self._called(item.call_id, item.name, item.arguments or "{}")

    def _called(self, call_id: str, name: str, arguments: str) -> None:
        event = self._calls.made(call_id, name, arguments)
        if event is not None:
            self._events.append(event)
        if isinstance(event, Dropped):
            self._tool_result(ToolResult(call_id, '{"error":"target is missing"}', failed=True))


_HANDLERS: dict[type, Callable[[OpenAIRealtime, Any, float], None]] = {
    wire.SessionCreated: OpenAIRealtime._on_created,
    wire.SessionUpdated: OpenAIRealtime._on_updated,
    wire.AudioDelta: OpenAIRealtime._on_audio,
    wire.BetaAudioDelta: OpenAIRealtime._on_audio,
    wire.AudioDone: OpenAIRealtime._on_audio_done,
    wire.BetaAudioDone: OpenAIRealtime._on_audio_done,
    wire.SpeechStarted: OpenAIRealtime._on_speech_started,
    wire.SpeechStopped: OpenAIRealtime._on_speech_stopped,
    wire.AgentTranscript: OpenAIRealtime._on_agent_transcript,
    wire.BetaAgentTranscript: OpenAIRealtime._on_agent_transcript,
    wire.CallerTranscript: OpenAIRealtime._on_caller_transcript,
    wire.ResponseCreated: OpenAIRealtime._on_response_created,
    wire.ResponseDone: OpenAIRealtime._on_response_done,
    wire.ErrorEvent: OpenAIRealtime._on_error,
    wire.ArgumentsDone: OpenAIRealtime._on_arguments,
    wire.ItemDone: OpenAIRealtime._on_item,
}
