"""The `openai-realtime` dialect: OpenAI's Realtime interface (GA), and everything that speaks like it.

    socket open ─ session.created ─► session.update ─ session.updated ─► ready ─ Started ─► greeting, turns …

A response may only be asked for while none is running, so a wish for one waits for the running one's end.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import msgspec

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
    HangUpWish,
    Interrupted,
    Ready,
    Say,
    Speech,
    SpeechEnded,
    Started,
    ToolCall,
    ToolResult,
    Transcript,
    TransferWish,
)
from sipgw.ai.openai_session import (
    HANG_UP,
    TRANSFER_CALL,
    audio_format,
    connection,
    refused_format,
    session_update,
    settings_of,
)
from sipgw.options import BackendOptions

CREATED_WAIT = 1.0
"""Seconds given to `session.created` before we speak first: some servers wait for us."""
UPDATED_WAIT = 2.0
"""Seconds given to `session.updated`; a server that never says it, and no error either, has taken our session."""
ITEMS_KEPT = 16
"""How many utterances' lengths are remembered for truncation."""

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


@dataclass(slots=True)
class Utterance:
    """What came of one item's audio."""

    content_index: int
    size_bytes: int = 0
    complete: bool = False


class OpenAIRealtime:
    """One conversation with a Realtime server. Raises ValueError for settings that make no sense."""

    frame_ms = 20

    def __init__(self, options: BackendOptions, facts: CallFacts) -> None:
        self.audio_format = audio_format(options)
        self._options = options
        self._facts = facts
        self._settings = settings_of(options)
        self._out: list[str | bytes] = []
        self._events: list[BackendEvent] = []
        self._reset()

    def _reset(self) -> None:
        self._state = State.CLOSED
        self._ending = False
        self._due: float | None = None
        self._utterances: OrderedDict[str, Utterance] = OrderedDict()
        self._responding: str | None = None
        self._wanted: dict[str, object] | None = None
        self._cancelled_by_server = False
        self._calls_seen: set[str] = set()
        self._hang_ups: set[str] = set()

    # --- the connection ---------------------------------------------------------------------------------------

    def open(self, now: float) -> Connect | None:
        """The connection to open; a reconnection starts a new session, because there is no resumption."""
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
        if greeting := self._settings.greeting:
            self._respond(wire.say(greeting) if isinstance(greeting, str) else {})

    def _digit(self, digit: str) -> None:
        if self._settings.digits == "ignore":
            return
        self._out.append(wire.user_text(f"The caller pressed the key {digit} on the telephone."))
        if self._settings.digits == "respond":
            self._respond({})

    def _tool_result(self, result: ToolResult) -> None:
        self._out.append(wire.tool_output(result.id, result.output))
        if result.id not in self._hang_ups:
            self._respond({})

    def _manual_turn(self, speaking: bool) -> None:
        """Without turn detection of the server's, our VAD's word ends the caller's turn."""
        if self._settings.vad is None and not speaking:
            self._out.append(wire.event("input_audio_buffer.commit"))
            self._respond({})

    def _interrupted(self, event: Interrupted) -> None:
        """Stop the response, and let the model know how much of it was heard: the rest leaves its memory."""
        if self._responding is not None and not self._cancelled_by_server:
            named = {"response_id": self._responding} if self._responding else {}
            self._out.append(wire.event("response.cancel", **named))
        heard = self._utterances.pop(event.item, None)
        if heard is None:
            return
        received_ms = int(self.audio_format.ms_of(heard.size_bytes))
        if heard.complete and event.sent_ms >= received_ms:
            return
        # More than the item's length is an error, and rounding may have made it so.
        self._out.append(
            wire.event(
                "conversation.item.truncate",
                item_id=event.item,
                content_index=heard.content_index,
                audio_end_ms=max(0, min(event.sent_ms, received_ms)),
            )
        )

    def _respond(self, response: dict[str, object]) -> None:
        """Ask for a response, now or when the running one is done."""
        if self._responding is not None:
            self._wanted = response
            return
        self._wanted = None
        self._out.append(wire.event("response.create", **({"response": response} if response else {})))

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
        self._events.append(Ready())

    def _fail(self, reason: str, permanent: bool, detail: str) -> None:
        self._ending, self._due = True, None
        self._events.append(Failed(reason, permanent, detail))

    def _on_audio(self, event: wire.AudioDelta, now: float) -> None:
        audio = wire.samples(event.delta, self.audio_format.sample_bytes)
        item = event.item_id
        utterance = self._utterances.get(item)
        if utterance is None:
            utterance = self._utterances[item] = Utterance(event.content_index)
            if len(self._utterances) > ITEMS_KEPT:
                self._utterances.popitem(last=False)
        utterance.size_bytes += len(audio)
        self._events.append(Speech(audio, item))

    def _on_audio_done(self, event: wire.AudioDone, now: float) -> None:
        if utterance := self._utterances.get(event.item_id):
            utterance.complete = True
        self._events.append(SpeechEnded(event.item_id))

    def _on_speech_started(self, event: wire.SpeechStarted, now: float) -> None:
        self._cancelled_by_server = self._settings.server_interrupts
        self._events.append(CallerSpoke())

    def _on_speech_stopped(self, event: wire.SpeechStopped, now: float) -> None:
        self._events.append(CallerStopped())

    def _on_agent_transcript(self, event: wire.AgentTranscript, now: float) -> None:
        self._events.append(Transcript("agent", event.transcript, item=event.item_id))

    def _on_caller_transcript(self, event: wire.CallerTranscript, now: float) -> None:
        self._events.append(Transcript("caller", event.transcript, item=event.item_id))

    def _on_response_created(self, event: wire.ResponseCreated, now: float) -> None:
        self._responding, self._cancelled_by_server = event.response.id or "", False

    def _on_response_done(self, event: wire.ResponseDone, now: float) -> None:
        self._responding = None
        details = event.response.status_details
        if event.response.status == "failed":
            self._server_error("response_failed", (details and details.error) or wire.ServerError())
        if self._wanted is not None:
            self._respond(self._wanted)

    def _on_error(self, event: wire.ErrorEvent, now: float) -> None:
        error = event.error
        if error.code == "conversation_already_has_active_response":
            self._responding = self._responding or ""
            self._wanted = self._wanted or {}
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

    # --- tools ------------------------------------------------------------------------------------------------

    def _on_arguments(self, event: wire.ArgumentsDone, now: float) -> None:
        if event.name:
            self._tool(event.call_id, event.name, event.arguments)

    def _on_item(self, event: wire.ItemDone, now: float) -> None:
        item = event.item
        if item.type == "function_call" and item.call_id and item.name:
            self._tool(item.call_id, item.name, item.arguments or "{}")

    def _tool(self, call_id: str, name: str, arguments: str) -> None:
        """A call comes twice, as arguments and as an item; servers differ in which of them is complete."""
        if call_id in self._calls_seen:
            return
        self._calls_seen.add(call_id)
        if name == HANG_UP:
            self._hang_ups.add(call_id)
            self._events.append(HangUpWish(call_id, _text(_arguments(arguments), "reason")))
        elif name == TRANSFER_CALL:
            self._transfer(call_id, _arguments(arguments))
        else:
            self._events.append(ToolCall(call_id, name, arguments))

    def _transfer(self, call_id: str, given: dict[str, Any]) -> None:
        if target := _text(given, "target"):
            self._events.append(TransferWish(target, call_id, _text(given, "summary"), _text(given, "reason")))
            return
        self._drop("transfer_without_target")
        self._tool_result(ToolResult(call_id, '{"error":"target is missing"}', failed=True))


def _arguments(text: str) -> dict[str, Any]:
    """A model writes these; anything may stand here."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


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
