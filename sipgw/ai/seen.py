"""Which of the state table's inputs an event is, as far as its kind alone says it."""

from sipgw.ai.events import (
    BackendEvent,
    CallerSpeech,
    CallerSpoke,
    CallerStopped,
    Clear,
    Close,
    DigitPressed,
    Failed,
    HangUpWish,
    Intent,
    Mute,
    Open,
    PlaceMark,
    Ready,
    RecordingWish,
    Say,
    Speech,
    SpeechEnded,
    ToolCall,
    ToolResult,
    Transcript,
    TransferWish,
)
from sipgw.ai.states import Seen
from sipgw.audio import playout
from sipgw.errors import UsageError

Event = BackendEvent | Intent | DigitPressed | CallerSpeech | playout.PlayoutEvent | playout.Cleared
"""All that a conversation is told, besides audio and the socket's own news."""

_INTERRUPTERS: dict[str, frozenset[type]] = {
    "backend": frozenset({CallerSpoke}),
    "local": frozenset({CallerSpeech}),
    "both": frozenset({CallerSpoke, CallerSpeech}),
    "off": frozenset(),
}

_KINDS: dict[type, Seen] = {
    Ready: Seen.READY,
    Speech: Seen.SPEECH,
    SpeechEnded: Seen.SPEECH_ENDED,
    PlaceMark: Seen.MARK,
    Clear: Seen.CLEAR,
    CallerStopped: Seen.CALLER_STOPPED,
    Transcript: Seen.TRANSCRIPT,
    ToolCall: Seen.TOOL_CALL,
    HangUpWish: Seen.HANG_UP,
    Failed: Seen.FAILED,
    Say: Seen.SAY,
    ToolResult: Seen.RESULT,
    Close: Seen.CLOSE,
    DigitPressed: Seen.DIGIT,
    playout.PlayoutStarted: Seen.STARTED,
    playout.MarkReached: Seen.MARK_REACHED,
    playout.ItemFinished: Seen.ITEM_FINISHED,
    playout.Drained: Seen.DRAINED,
    playout.Cleared: Seen.CLEARED,
}


def interrupters(barge_in: str) -> frozenset[type]:
    """The kinds of event that interrupt playout. Raises UsageError."""
    if barge_in not in _INTERRUPTERS:
        raise UsageError(f"barge_in: {barge_in!r} is not one of {', '.join(_INTERRUPTERS)}")
    return _INTERRUPTERS[barge_in]


def seen(event: Event, interrupts: frozenset[type]) -> Seen:
    """The input that `event` is."""
    match event:
        case CallerSpeech(speaking=False):
            return Seen.VAD_STOPPED
        case CallerSpoke() | CallerSpeech():
            return Seen.BARGE_IN if type(event) in interrupts else Seen.SPOKE
        case TransferWish(id=id_):
            return Seen.TOOL_CALL if id_ else Seen.WISH
        case RecordingWish():
            return Seen.WISH
        case Open(early=early):
            return Seen.OPEN_EARLY if early else Seen.OPEN
        case Mute(muted=muted):
            return Seen.MUTE if muted else Seen.UNMUTE
    return _KINDS[type(event)]
