"""OpenAI Realtime: the server's events we act on, typed, and the client's events we send.

One pass over the JSON yields the typed event. Names of the beta interface are accepted beside the GA ones, because
clones still send them.
"""

from typing import Any

import msgspec
import pybase64

APPEND = '{"type":"input_audio_buffer.append","audio":"'
"""Fifty of these a second and call: put together as text, without a JSON encoder."""


class Message(msgspec.Struct, frozen=True):
    """Base of the events; fields we do not name are skipped."""


class SessionCreated(Message, frozen=True, tag="session.created"): ...


class SessionUpdated(Message, frozen=True, tag="session.updated"):
    session: dict[str, Any] = {}


class AudioDelta(Message, frozen=True, tag="response.output_audio.delta"):
    delta: str
    item_id: str = ""
    content_index: int = 0


class BetaAudioDelta(AudioDelta, frozen=True, tag="response.audio.delta"): ...


class AudioDone(Message, frozen=True, tag="response.output_audio.done"):
    item_id: str = ""


class BetaAudioDone(AudioDone, frozen=True, tag="response.audio.done"): ...


class SpeechStarted(Message, frozen=True, tag="input_audio_buffer.speech_started"): ...


class SpeechStopped(Message, frozen=True, tag="input_audio_buffer.speech_stopped"): ...


class AgentTranscript(Message, frozen=True, tag="response.output_audio_transcript.done"):
    transcript: str
    item_id: str = ""


class BetaAgentTranscript(AgentTranscript, frozen=True, tag="response.audio_transcript.done"): ...


class CallerTranscript(Message, frozen=True, tag="conversation.item.input_audio_transcription.completed"):
    transcript: str
    item_id: str = ""


class ArgumentsDone(Message, frozen=True, tag="response.function_call_arguments.done"):
    call_id: str
    name: str = ""
    """Older servers leave it out; then the item, which comes next, has it."""
    arguments: str = "{}"


class Item(msgspec.Struct, frozen=True):
    """An item of a response, as far as we read it."""

    type: str = ""
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ItemDone(Message, frozen=True, tag="response.output_item.done"):
    item: Item


class ServerError(msgspec.Struct, frozen=True):
    """What went wrong; all of it may be missing."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    event_id: str | None = None

    def __str__(self) -> str:
        return ": ".join(text for text in (self.type, self.code, self.message) if text)


class ErrorEvent(Message, frozen=True, tag="error"):
    error: ServerError


class StatusDetails(msgspec.Struct, frozen=True):
    error: ServerError | None = None


class Response(msgspec.Struct, frozen=True):
    id: str | None = None
    status: str | None = None
    status_details: StatusDetails | None = None


class ResponseCreated(Message, frozen=True, tag="response.created"):
    response: Response


class ResponseDone(Message, frozen=True, tag="response.done"):
    response: Response


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | AudioDelta
    | BetaAudioDelta
    | AudioDone
    | BetaAudioDone
    | SpeechStarted
    | SpeechStopped
    | AgentTranscript
    | BetaAgentTranscript
    | CallerTranscript
    | ArgumentsDone
    | ItemDone
    | ErrorEvent
    | ResponseCreated
    | ResponseDone
)

QUIET = (
    "conversation.",
    "input_audio_buffer.",
    "mcp_list_tools.",
    "output_audio_buffer.",
    "rate_limits.",
    "response.",
    "session.",
    "transcription_session.",
)
"""Families of events that belong to the interface; those of them that we have no use for pass in silence."""


class Unusable(Exception):
    """A message that is no event we know. `reason` is a drop's name, or empty where it may pass in silence."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _Kind(msgspec.Struct, frozen=True):
    type: str


_events: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(ServerEvent)
_kinds = msgspec.json.Decoder(_Kind)
_encoder = msgspec.json.Encoder()
_KNOWN = {each.__struct_config__.tag for each in ServerEvent.__args__}


def decode(message: str | bytes) -> ServerEvent:
    """The event in `message`. Raises Unusable."""
    try:
        return _events.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise _unusable(message) from None


def _unusable(message: str | bytes) -> Unusable:
    try:
        kind = _kinds.decode(message).type
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Unusable("not_an_event")
    if kind in _KNOWN:
        return Unusable("malformed_event", kind)
    return Unusable("" if kind.startswith(QUIET) else "unknown_event", kind)


def samples(delta: str, sample_bytes: int) -> bytes:
    """The audio of a delta. Raises Unusable."""
    try:
        audio = pybase64.b64decode(delta, validate=True)
    except ValueError:
        raise Unusable("bad_base64") from None
    if len(audio) % sample_bytes:
        raise Unusable("half_sample")
    return audio


def append(frame: bytes | memoryview) -> str:
    """The event that carries a frame of the caller's audio."""
    return APPEND + pybase64.b64encode_as_string(frame) + '"}'


def event(type_: str, /, **fields: object) -> str:
    """Any other client event."""
    return _encoder.encode({"type": type_, **fields}).decode()


def say(text: str) -> dict[str, object]:
    """A response that speaks `text`."""
    return {"instructions": f"Say exactly these words to the caller, and nothing else: {text}"}


def user_text(text: str) -> str:
    """A turn of the user in writing."""
    content = [{"type": "input_text", "text": text}]
    return event("conversation.item.create", item={"type": "message", "role": "user", "content": content})


def agent_text(text: str, beta: bool) -> str:
    """A turn of the assistant in writing."""
    content = [{"type": "text" if beta else "output_text", "text": text}]
    return event("conversation.item.create", item={"type": "message", "role": "assistant", "content": content})


def tool_output(call_id: str, output: str) -> str:
    """The result of a function call."""
    return event(
        "conversation.item.create", item={"type": "function_call_output", "call_id": call_id, "output": output}
    )
