"""The `sipgw` protocol's messages, version 1 (PROTOCOL.md): the backend's, typed, and ours, written."""

from typing import Annotated, Literal

import msgspec

from sipgw.ai.events import (
    AudioFormat,
    CallerSpeech,
    CallFacts,
    DigitPressed,
    Drained,
    Ended,
    GatewayEvent,
    Interrupted,
    MarkReached,
    Say,
    Started,
    ToolResult,
)

VERSION = 1
SUBPROTOCOL = "sipgw.v1"


Name = Annotated[str, msgspec.Meta(min_length=1)]


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Base of the backend's messages; fields we do not know are skipped."""


class ReadySaid(Message, frozen=True, tag="ready"): ...


class ClearSaid(Message, frozen=True, tag="clear"): ...


class MarkSaid(Message, frozen=True, tag="mark"):
    name: str


class ItemSaid(Message, frozen=True, tag="item"):
    id: Name


class ItemEndSaid(Message, frozen=True, tag="item_end"): ...


class TransferSaid(Message, frozen=True, tag="transfer"):
    target: Name
    id: str = ""
    summary: str = ""
    reason: str = ""


class HangUpSaid(Message, frozen=True, tag="hang_up"):
    id: str = ""
    reason: str = ""


class PauseRecordingSaid(Message, frozen=True, tag="pause_recording"): ...


class ResumeRecordingSaid(Message, frozen=True, tag="resume_recording"): ...


class TranscriptSaid(Message, frozen=True, tag="transcript"):
    who: Literal["caller", "agent"]
    text: str
    final: bool = True
    item: str = ""


class ErrorSaid(Message, frozen=True, tag="error"):
    message: str = ""
    permanent: bool = False


BackendMessage = (
    ReadySaid | ClearSaid | MarkSaid | ItemSaid | ItemEndSaid | TransferSaid | HangUpSaid
    | PauseRecordingSaid | ResumeRecordingSaid | TranscriptSaid | ErrorSaid
)  # fmt: skip


class Unusable(Exception):
    """A text that is no message we know; `reason` is a drop's name."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _Kind(msgspec.Struct, frozen=True):
    type: str


_messages: msgspec.json.Decoder[BackendMessage] = msgspec.json.Decoder(BackendMessage)
_kinds = msgspec.json.Decoder(_Kind)
_encoder = msgspec.json.Encoder()
_KNOWN = {each.__struct_config__.tag for each in BackendMessage.__args__}
_DETAIL = 80
"""Characters of a strange message that are traced."""


def decode(text: str) -> BackendMessage:
    """The message in `text`. Raises Unusable."""
    try:
        return _messages.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise _unusable(text) from None


def _unusable(text: str) -> Unusable:
    try:
        kind = _kinds.decode(text).type
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Unusable("not_a_message", text[:_DETAIL])
    return Unusable("malformed_message" if kind in _KNOWN else "unknown_message", kind[:_DETAIL])


def start(facts: CallFacts, audio: AudioFormat, frame_ms: int, parameters: dict[str, object], resumed: bool) -> str:
    """Our first message."""
    call = {
        "id": facts.call,
        "caller": facts.caller,
        "called": facts.called,
        "caller_name": facts.caller_name,
        "headers": facts.headers,
        "sip_call_id": facts.sip_call_id,
        "codec": facts.codec,
        "started": facts.started,
        "variables": facts.variables,
        "instructions": facts.instructions,
        "carried": facts.carried,
    }
    format_ = {"encoding": "pcm16", "rate_hz": audio.rate_hz, "channels": 1, "frame_ms": frame_ms}
    return _message("start", version=VERSION, call=call, audio=format_, parameters=parameters, resumed=resumed)


def told(event: GatewayEvent) -> str:
    """The message that tells the backend of `event`."""
    match event:
        case Started():
            return _message("open")
        case DigitPressed(digit=digit, duration_ms=duration_ms):
            return _message("dtmf", digit=digit, duration_ms=duration_ms)
        case CallerSpeech(speaking=speaking):
            return _message("speech", speaking=speaking)
        case Interrupted(item=item, sent_ms=sent_ms, queued_ms=queued_ms):
            return _message("interrupted", item=item, sent_ms=sent_ms, queued_ms=queued_ms)
        case MarkReached(name=name, cleared=cleared):
            return _message("mark", name=name, cleared=cleared)
        case Drained():
            return _message("drained")
        case ToolResult(id=id_, output=output, failed=failed):
            return _message("result", id=id_, output=_json(output), failed=failed)
        case Say(text=text):
            return _message("say", text=text)
        case Ended(reason=reason):
            return _message("end", reason=reason)


def _message(type_: str, /, **fields: object) -> str:
    return _encoder.encode({"type": type_, **fields}).decode()


def _json(text: str) -> object:
    """JSON text as the value it is, anything else as a string."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
