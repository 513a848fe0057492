"""The conversation's state table: what each state does with what is seen. Nothing but data.

    warm ─► (early) ─► open ─► listening ◄─► speaking ─► interrupted
                                   ▲                          │
                                   └────────── tool ◄─────────┘          closed, from anywhere

A row that is missing is ignored and traced. One rule stands beside the table: listening with a tool call
unanswered is `tool`.
"""

from enum import Enum, auto


class State(Enum):
    """Where a conversation stands."""

    __hash__ = object.__hash__  # of a key of the table, at every frame; an Enum's own runs in Python

    WARM = auto()
    """The phone rings: the session gets set up, nothing is asked for, nothing is heard."""
    EARLY = auto()
    """The caller hears early media (183) but has not been answered: the backend may speak, it does not listen."""
    OPEN = auto()
    """The caller hears; nobody has spoken yet."""
    LISTENING = auto()
    SPEAKING = auto()
    """Speech of the backend is queued or leaving."""
    INTERRUPTED = auto()
    """Playout was cut off; the backend may not have noticed yet."""
    TOOL = auto()
    """Silence, because control owes the backend an answer."""
    CLOSED = auto()


class Seen(Enum):
    """What can happen."""

    __hash__ = object.__hash__

    READY = auto()
    OPEN = auto()
    OPEN_EARLY = auto()
    OPEN_SPEAKING = auto()
    """The call is answered while early speech still plays."""
    OPEN_UNREADY = auto()
    """The caller hears before the session stands."""
    SPEECH = auto()
    STALE_SPEECH = auto()
    """Of an utterance that was cut off, or while muted."""
    SPEECH_ENDED = auto()
    MARK = auto()
    STALE_MARK = auto()
    CLEAR = auto()
    """The backend's order: what comes after it is new."""
    SPOKE = auto()
    """The caller started to speak, says somebody whose word interrupts nothing."""
    BARGE_IN = auto()
    """The caller started to speak, says somebody whose word counts."""
    CALLER_STOPPED = auto()
    """The backend's word."""
    VAD_STOPPED = auto()
    """Our own VAD's word."""
    TRANSCRIPT = auto()
    TOOL_CALL = auto()
    """Something control has to answer."""
    WISH = auto()
    """A wish of the backend that it gets no answer to."""
    HANG_UP = auto()
    HANG_UP_SPEAKING = auto()
    """It wants the call ended while its early speech still plays."""
    FAILED = auto()
    LOST = auto()
    """Failed, and may be tried again."""
    SAY = auto()
    RESULT = auto()
    DIGIT = auto()
    MUTE = auto()
    UNMUTE = auto()
    CLOSE = auto()
    STARTED = auto()
    """The first packet of speech after silence left."""
    MARK_REACHED = auto()
    ITEM_FINISHED = auto()
    DRAINED = auto()
    CLEARED = auto()
    """What the playout dropped."""
    WINDOW_OVER = auto()
    """Nothing is stale any more."""
    FAREWELL_OVER = auto()
    """The last words took too long."""


Key = tuple[State, Seen]
Row = tuple[State, tuple[str, ...]]

_END: dict[Seen, Row] = {
    Seen.FAILED: (State.CLOSED, ("report", "close_socket")),
    Seen.CLOSE: (State.CLOSED, ("say_good_bye", "clear", "close_socket", "report_closed")),
}
"""From every state but closed."""

_SETTING_UP: dict[Seen, tuple[str, ...]] = {
    Seen.READY: ("report_ready", "open_if_wanted"),
    Seen.OPEN_UNREADY: ("want_open",),
    Seen.SPEECH: ("hold",),
    Seen.SPEECH_ENDED: ("hold",),
    Seen.MARK: ("hold",),
    Seen.STALE_SPEECH: ("drop_speech",),
    Seen.STALE_MARK: ("refuse_mark",),
    Seen.CLEAR: ("drop_held",),
    Seen.TRANSCRIPT: ("report",),
    Seen.TOOL_CALL: ("report_call",),
    Seen.WISH: ("report",),
    Seen.HANG_UP: ("report_hang_up",),
    Seen.RESULT: ("answer",),
    Seen.MUTE: ("mute",),
    Seen.UNMUTE: ("unmute",),
}
"""While warm, without leaving it."""

_AUDIBLE: dict[Seen, tuple[str, ...]] = {
    Seen.SPEECH_ENDED: ("end_item",),
    Seen.STALE_SPEECH: ("drop_speech",),
    Seen.MARK: ("place_mark",),
    Seen.STALE_MARK: ("refuse_mark",),
    Seen.CLEAR: ("clear",),
    Seen.CLEARED: ("pass_interruption", "report_farewell"),
    Seen.TRANSCRIPT: ("report",),
    Seen.TOOL_CALL: ("report_call",),
    Seen.WISH: ("report",),
    Seen.HANG_UP: ("report_hang_up",),
    Seen.SAY: ("pass_on",),
    Seen.RESULT: ("answer",),
    Seen.MUTE: ("mute", "clear"),
    Seen.UNMUTE: ("unmute",),
    Seen.STARTED: ("report_turn",),
    Seen.MARK_REACHED: ("pass_mark",),
    Seen.ITEM_FINISHED: (),
    Seen.DRAINED: ("pass_drained",),
}
"""While the caller hears, without a change of state unless a row below says so."""

_CONVERSING: dict[Seen, tuple[str, ...]] = {
    **_AUDIBLE,
    Seen.READY: (),
    Seen.SPOKE: ("note_speech",),
    Seen.BARGE_IN: ("note_speech", "clear"),
    Seen.CALLER_STOPPED: ("note_stop",),
    Seen.VAD_STOPPED: ("pass_on", "note_stop"),
    Seen.DIGIT: ("pass_on",),
    Seen.LOST: ("reconnect",),
    Seen.FAREWELL_OVER: ("report_farewell",),
}
"""Once the call is answered, likewise. A `READY` here is a reconnected backend's."""

CONVERSING = (State.OPEN, State.LISTENING, State.SPEAKING, State.INTERRUPTED, State.TOOL)
"""The states in which the caller's audio is carried."""


def _staying(state: State, rows: dict[Seen, tuple[str, ...]]) -> dict[Key, Row]:
    return {(state, seen): (state, actions) for seen, actions in rows.items()}


TABLE: dict[Key, Row] = {
    **{(state, seen): row for state in State if state is not State.CLOSED for seen, row in _END.items()},
    #
    **_staying(State.WARM, _SETTING_UP),
    (State.WARM, Seen.OPEN): (State.OPEN, ("start", "release")),
    (State.WARM, Seen.OPEN_EARLY): (State.EARLY, ("start", "release")),
    #
    **_staying(State.EARLY, _AUDIBLE),
    (State.EARLY, Seen.SPEECH): (State.EARLY, ("play",)),
    (State.EARLY, Seen.HANG_UP_SPEAKING): (State.EARLY, ("wait_for_farewell",)),
    (State.EARLY, Seen.DRAINED): (State.EARLY, ("pass_drained", "report_farewell")),
    (State.EARLY, Seen.FAREWELL_OVER): (State.EARLY, ("report_farewell",)),
    (State.EARLY, Seen.OPEN): (State.OPEN, ()),
    (State.EARLY, Seen.OPEN_SPEAKING): (State.SPEAKING, ()),
    #
    **{key: row for state in CONVERSING for key, row in _staying(state, _CONVERSING).items()},
    #
    (State.OPEN, Seen.SPEECH): (State.SPEAKING, ("play",)),
    (State.OPEN, Seen.SPOKE): (State.LISTENING, ("note_speech",)),
    (State.OPEN, Seen.BARGE_IN): (State.LISTENING, ("note_speech", "clear")),
    (State.OPEN, Seen.TOOL_CALL): (State.TOOL, ("report_call",)),
    #
    (State.LISTENING, Seen.SPEECH): (State.SPEAKING, ("play",)),
    (State.LISTENING, Seen.TOOL_CALL): (State.TOOL, ("report_call",)),
    # Speech came between the last packet's leaving and the word of it.
    (State.LISTENING, Seen.STARTED): (State.SPEAKING, ("report_turn",)),
    #
    (State.SPEAKING, Seen.SPEECH): (State.SPEAKING, ("play",)),
    (State.SPEAKING, Seen.DRAINED): (State.LISTENING, ("pass_drained", "report_farewell")),
    (State.SPEAKING, Seen.BARGE_IN): (State.INTERRUPTED, ("note_speech", "clear", "open_window")),
    (State.SPEAKING, Seen.CLEAR): (State.LISTENING, ("clear",)),
    (State.SPEAKING, Seen.MUTE): (State.LISTENING, ("mute", "clear")),
    # What the caller says behind our speech gets no answer whose delay could be measured.
    (State.SPEAKING, Seen.CALLER_STOPPED): (State.SPEAKING, ()),
    (State.SPEAKING, Seen.VAD_STOPPED): (State.SPEAKING, ("pass_on",)),
    (State.SPEAKING, Seen.HANG_UP): (State.SPEAKING, ("wait_for_farewell",)),
    #
    (State.INTERRUPTED, Seen.SPEECH): (State.SPEAKING, ("play",)),
    (State.INTERRUPTED, Seen.SPEECH_ENDED): (State.LISTENING, ("end_item",)),
    (State.INTERRUPTED, Seen.CALLER_STOPPED): (State.LISTENING, ("note_stop",)),
    (State.INTERRUPTED, Seen.CLEAR): (State.LISTENING, ("clear",)),
    (State.INTERRUPTED, Seen.TOOL_CALL): (State.TOOL, ("report_call",)),
    (State.INTERRUPTED, Seen.WINDOW_OVER): (State.LISTENING, ()),
    (State.INTERRUPTED, Seen.LOST): (State.LISTENING, ("reconnect",)),
    #
    (State.TOOL, Seen.SPEECH): (State.SPEAKING, ("play",)),
    (State.TOOL, Seen.STARTED): (State.SPEAKING, ("report_turn",)),
    (State.TOOL, Seen.RESULT): (State.LISTENING, ("answer",)),
    (State.TOOL, Seen.LOST): (State.LISTENING, ("reconnect",)),
    #
    # What a backend had said when it failed is played on; now nobody is to hear it.
    (State.CLOSED, Seen.CLOSE): (State.CLOSED, ("clear", "report_closed")),
    (State.CLOSED, Seen.CLEARED): (State.CLOSED, ()),
}
