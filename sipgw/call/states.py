"""The state table of an incoming call: what each state does with what is seen. Nothing but data.

    new ─► opening ─► connecting ─► answered ─► confirmed ─► talking ─► ending ─► ended
                      (the next       ▲ 200        ACK      caller
                       target)        │                      hears
                          │       switching ◄── a backend failed after the answer
                          ▼           │
                        early     apologising, when no target is left
                       183, then 200

A row is the next state and the actions on the way. An action may see something itself: the rest of its row is
skipped, and what it saw is looked up in the row's next state. A missing row is ignored and traced.
"""

from enum import Enum, StrEnum, auto


class State(StrEnum):
    """Where a call stands."""

    NEW = auto()
    OPENING = auto()
    """The RTP ports are being opened."""
    CONNECTING = auto()
    """A target gets ready; the phone rings where the route wants that."""
    EARLY = auto()
    """183 with our description was sent: the caller hears a prompt or the AI, and nothing is answered."""
    ANSWERED = auto()
    """200 was sent; the ACK is out."""
    CONFIRMED = auto()
    """The ACK came; the caller's first packet is waited for, a moment."""
    TALKING = auto()
    """The conversation is open."""
    SWITCHING = auto()
    """A backend failed after the answer; the next gets ready while the caller waits."""
    ANNOUNCING = auto()
    """The caller hears that the call is recorded; then the conversation opens."""
    APOLOGISING = auto()
    """The last resort plays."""
    ENDING = auto()
    """Everything was told to close; the last counters and the BYE's response are waited for, a moment."""
    ENDED = auto()


class Seen(Enum):
    """What can happen to a call."""

    INVITED = auto()
    REFUSED = auto()
    """We will not have this call; why is in its draft."""
    PORTS_OPENED = auto()
    PORTS_FAILED = auto()
    READY = auto()
    """The target at hand is ready."""
    TARGET_FAILED = auto()
    """The target at hand failed or took too long."""
    ADVISED = auto()
    """The hook at hand said where the call goes, or what it said before has to do."""
    EARLY_MEDIA = auto()
    """The caller is to hear us before the answer."""
    EARLY_AGREED = auto()
    """The PRACK came that answers the offer in our 183."""
    EARLY_LIMIT = auto()
    """The AI has spoken before the answer for as long as the route allows."""
    EARLY_OVER = auto()
    """All that was to be heard before the answer was."""
    OUT_OF_TARGETS = auto()
    SORRY = auto()
    """Nobody is left to talk to the caller: an apology has to do."""
    CAUGHT_UP = auto()
    """The ACK came while a target was being replaced."""
    CANCELLED = auto()
    CONFIRMED = auto()
    UNCONFIRMED = auto()
    """The ACK is late: who sent the INVITE may have forged its address."""
    FIRST_PACKET = auto()
    WAIT_OVER = auto()
    """The first packet took too long to wait any longer."""
    HEARS = auto()
    """ACK and first packet, or its wait, are behind us."""
    REINVITED = auto()
    REPLACING = auto()
    """Another leg is to take the place of the caller's (RFC 3891)."""
    KEY_PRESSED = auto()
    """In signalling; what comes in RTP changes nothing here."""
    HUNG_UP = auto()
    NO_ACK = auto()
    LEG_LOST = auto()
    RELEASED = auto()
    SILENT = auto()
    """Neither RTP nor RTCP comes."""
    PLAYED = auto()
    """The prompt at hand was heard, was stopped, or could not be played."""
    BACKEND_HUNG_UP = auto()
    NOBODY_SPEAKS = auto()
    """Neither caller nor AI has for as long as the route allows."""
    SILENT_TOO_LONG = auto()
    """The caller did not speak after the reminder either."""
    TOO_LONG = auto()
    """The call rang, or lasted, as long as its route allows."""
    SESSION_FAILED = auto()
    SESSION_ENDED = auto()
    TOLD_TO_HANG_UP = auto()
    """From outside (`call/commands.py`), as all that begin so."""
    TOLD_TO_PLAY = auto()
    TOLD_TO_STOP = auto()
    TOLD_TO_SEND_DIGITS = auto()
    TOLD_TO_HOLD = auto()
    TOLD_TO_RESUME = auto()
    TOLD_TO_SAY = auto()
    TOLD_TO_RECORD = auto()
    TOLD_TO_STOP_RECORDING = auto()
    TOLD_TO_PAUSE_RECORDING = auto()
    TOLD_TO_RESUME_RECORDING = auto()
    RECORDING_WISHED = auto()
    """The backend wants the recording paused or resumed."""
    RECORDING = auto()
    """A recording is being written."""
    RECORDED = auto()
    """A recording is complete, or nothing will come of it."""
    UNANNOUNCED = auto()
    """The caller has yet to hear that the call is recorded."""
    REOFFER_ACCEPTED = auto()
    """The far end took our re-INVITE."""
    REOFFER_REFUSED = auto()
    REOFFER_DUE = auto()
    """Ours met theirs; it is time to try again."""
    MEDIA_GONE = auto()
    """The gateway died, and the call's media with it."""
    SHUT_DOWN = auto()
    """The gateway stops."""
    BROKE = auto()
    """An exception: a defect of ours."""
    SETTLED = auto()
    """Nothing is left to be waited for."""
    WAITED_ENOUGH = auto()


Key = tuple[State, Seen]
Row = tuple[State, tuple[str, ...]]

_UNANSWERED = (State.OPENING, State.CONNECTING, State.EARLY)
_UP = (State.ANSWERED, State.CONFIRMED, State.ANNOUNCING, State.TALKING, State.SWITCHING, State.APOLOGISING)
"""From our 200 to the end."""
_SERVED = _UP[:-1]
"""While there is, or may be, a backend."""
_STEERED = (State.CONFIRMED, State.TALKING, State.SWITCHING)
"""While the caller hears whatever is to be heard."""

_END: dict[Seen, tuple[str, ...]] = {
    Seen.CANCELLED: ("forget_leg", "end"),
    Seen.HUNG_UP: ("forget_leg", "end"),
    Seen.NO_ACK: ("forget_leg", "end"),
    Seen.LEG_LOST: ("forget_leg", "end"),
    Seen.RELEASED: ("forget_leg", "end"),
    Seen.REFUSED: ("end",),
    Seen.TOLD_TO_HANG_UP: ("end",),
    Seen.SHUT_DOWN: ("end",),
    Seen.BROKE: ("end",),
    Seen.MEDIA_GONE: ("forget_session", "end"),
    Seen.SESSION_FAILED: ("forget_session", "end"),
    Seen.SESSION_ENDED: ("keep_stats", "end"),
}
"""Ends a call in any state before ending."""

_ALWAYS_UP: dict[Seen, tuple[str, ...]] = {
    Seen.REINVITED: ("renegotiate",),
    Seen.REPLACING: ("move",),
    Seen.KEY_PRESSED: ("take_key",),
    Seen.FIRST_PACKET: ("note_packet",),
    Seen.PLAYED: ("note_played",),
    Seen.NOBODY_SPEAKS: (),
    Seen.REOFFER_ACCEPTED: ("take_answer",),
    Seen.REOFFER_REFUSED: ("take_refusal",),
    Seen.REOFFER_DUE: ("offer_again",),
    Seen.TOLD_TO_RECORD: ("start_recording",),
    Seen.TOLD_TO_STOP_RECORDING: ("stop_recording",),
    Seen.TOLD_TO_PAUSE_RECORDING: ("pause_recording",),
    Seen.TOLD_TO_RESUME_RECORDING: ("resume_recording",),
    Seen.RECORDING_WISHED: ("heed_recording_wish",),
    Seen.RECORDING: ("note_recording",),
    Seen.RECORDED: ("note_recorded",),
}
"""Once answered, without a change of state unless a row below says so."""

_STEERING: dict[Seen, tuple[str, ...]] = {
    Seen.TOLD_TO_PLAY: ("play_prompt",),
    Seen.TOLD_TO_STOP: ("stop_prompt",),
    Seen.TOLD_TO_SEND_DIGITS: ("send_digits",),
    Seen.TOLD_TO_HOLD: ("hold",),
    Seen.TOLD_TO_RESUME: ("resume",),
}
"""While the caller hears, without a change of state."""

_ENDING: dict[Seen, tuple[str, ...]] = {
    Seen.CANCELLED: ("forget_leg", "settle"),
    Seen.HUNG_UP: ("forget_leg", "settle"),
    Seen.NO_ACK: ("forget_leg", "settle"),
    Seen.LEG_LOST: ("forget_leg", "settle"),
    Seen.RELEASED: ("forget_leg", "settle"),
    Seen.SESSION_ENDED: ("keep_stats", "settle"),
    Seen.SESSION_FAILED: ("forget_session", "settle"),
    Seen.MEDIA_GONE: ("forget_session", "settle"),
    Seen.PORTS_OPENED: ("give_ports_back", "settle"),
    Seen.PORTS_FAILED: ("forget_ports", "settle"),
    Seen.REINVITED: ("refuse_reinvite",),
    Seen.REPLACING: ("decline_move",),
    Seen.KEY_PRESSED: (),
    # Was on its way when the end came.
    Seen.CONFIRMED: (),
    Seen.FIRST_PACKET: (),
    Seen.SILENT: (),
    Seen.NOBODY_SPEAKS: (),
    Seen.PLAYED: (),
    Seen.REOFFER_ACCEPTED: (),
    Seen.REOFFER_REFUSED: (),
    Seen.SHUT_DOWN: (),
    Seen.RECORDING: ("note_recording",),
    Seen.RECORDED: ("note_recorded", "settle"),
}
"""While ending, without leaving it."""

_CHECKS = ("note_caller", "find_route", "be_admitted", "read_offer", "open_ports")
"""What a new call has to pass, the cheapest first."""

TABLE: dict[Key, Row] = {
    **{(state, seen): (State.ENDING, row) for state in (*_UNANSWERED, *_UP) for seen, row in _END.items()},
    **{(state, seen): (state, row) for state in _UP for seen, row in _ALWAYS_UP.items()},
    **{(state, seen): (state, row) for state in _STEERED for seen, row in _STEERING.items()},
    **{(state, Seen.TARGET_FAILED): (State.SWITCHING, ("next_target",)) for state in _SERVED},
    **{(state, Seen.BACKEND_HUNG_UP): (State.ENDING, ("end",)) for state in _SERVED},
    **{(state, Seen.TOO_LONG): (State.ENDING, ("end",)) for state in (*_UNANSWERED, *_UP)},
    **{(state, Seen.SILENT): (State.ENDING, ("end",)) for state in _UP},
    **{(state, Seen.REPLACING): (state, ("decline_move",)) for state in _UNANSWERED},
    #
    (State.NEW, Seen.INVITED): (State.OPENING, _CHECKS),
    (State.NEW, Seen.REFUSED): (State.ENDING, ("end",)),
    (State.NEW, Seen.BROKE): (State.ENDING, ("end",)),
    #
    (State.OPENING, Seen.PORTS_OPENED): (State.CONNECTING, ("negotiate", "next_target", "ring")),
    (State.OPENING, Seen.PORTS_FAILED): (State.ENDING, ("forget_ports", "end")),
    #
    (State.CONNECTING, Seen.READY): (State.ANSWERED, ("take_target", "answer")),
    (State.CONNECTING, Seen.TARGET_FAILED): (State.CONNECTING, ("next_target", "ring")),
    (State.CONNECTING, Seen.ADVISED): (State.CONNECTING, ("take_advice", "next_target", "ring")),
    (State.CONNECTING, Seen.BACKEND_HUNG_UP): (State.ENDING, ("end",)),
    (State.CONNECTING, Seen.OUT_OF_TARGETS): (State.CONNECTING, ("choose_last_resort",)),
    (State.CONNECTING, Seen.SORRY): (State.ANSWERED, ("answer",)),
    (State.CONNECTING, Seen.FIRST_PACKET): (State.CONNECTING, ("note_packet",)),
    (State.CONNECTING, Seen.EARLY_MEDIA): (State.EARLY, ("begin_early",)),
    #
    (State.EARLY, Seen.EARLY_AGREED): (State.EARLY, ("take_early_answer", "go_on_early")),
    (State.EARLY, Seen.READY): (State.EARLY, ("take_target", "go_on_early")),
    (State.EARLY, Seen.PLAYED): (State.EARLY, ("note_played", "go_on_early")),
    (State.EARLY, Seen.EARLY_LIMIT): (State.EARLY, ("end_early_speech", "go_on_early")),
    (State.EARLY, Seen.EARLY_OVER): (State.ANSWERED, ("answer",)),
    (State.EARLY, Seen.TARGET_FAILED): (State.EARLY, ("next_target",)),
    (State.EARLY, Seen.ADVISED): (State.EARLY, ("take_advice", "next_target")),
    (State.EARLY, Seen.BACKEND_HUNG_UP): (State.ENDING, ("end",)),
    (State.EARLY, Seen.OUT_OF_TARGETS): (State.EARLY, ("choose_last_resort",)),
    (State.EARLY, Seen.SORRY): (State.EARLY, ("go_on_early",)),
    (State.EARLY, Seen.REINVITED): (State.EARLY, ("renegotiate_early",)),
    (State.EARLY, Seen.KEY_PRESSED): (State.EARLY, ("take_key",)),
    (State.EARLY, Seen.FIRST_PACKET): (State.EARLY, ("note_packet",)),
    # Before the answer a caller need not send anything.
    (State.EARLY, Seen.SILENT): (State.EARLY, ()),
    #
    (State.ANSWERED, Seen.CONFIRMED): (State.CONFIRMED, ("take_ack", "await_first_packet")),
    (State.ANSWERED, Seen.UNCONFIRMED): (State.ANSWERED, ("hush",)),
    (State.SWITCHING, Seen.UNCONFIRMED): (State.SWITCHING, ("hush",)),
    (State.ANSWERED, Seen.CAUGHT_UP): (State.CONFIRMED, ("await_first_packet",)),
    #
    (State.CONFIRMED, Seen.CONFIRMED): (State.CONFIRMED, ("take_ack",)),
    (State.CONFIRMED, Seen.FIRST_PACKET): (State.TALKING, ("note_packet", "open")),
    (State.CONFIRMED, Seen.WAIT_OVER): (State.TALKING, ("note_packet", "open")),
    (State.CONFIRMED, Seen.HEARS): (State.TALKING, ("open",)),
    #
    (State.TALKING, Seen.UNANNOUNCED): (State.ANNOUNCING, ("announce",)),
    (State.ANNOUNCING, Seen.CONFIRMED): (State.ANNOUNCING, ("take_ack",)),
    (State.ANNOUNCING, Seen.PLAYED): (State.TALKING, ("note_played", "open")),
    #
    (State.TALKING, Seen.CONFIRMED): (State.TALKING, ("take_ack",)),
    (State.TALKING, Seen.TOLD_TO_SAY): (State.TALKING, ("say",)),
    (State.TALKING, Seen.NOBODY_SPEAKS): (State.TALKING, ("remind",)),
    (State.TALKING, Seen.SILENT_TOO_LONG): (State.ENDING, ("end",)),
    (State.TALKING, Seen.SORRY): (State.APOLOGISING, ("apologise",)),
    #
    (State.SWITCHING, Seen.ADVISED): (State.SWITCHING, ("take_advice", "next_target")),
    (State.SWITCHING, Seen.READY): (State.ANSWERED, ("take_target", "catch_up")),
    (State.SWITCHING, Seen.OUT_OF_TARGETS): (State.ANSWERED, ("be_sorry", "catch_up")),
    (State.SWITCHING, Seen.CONFIRMED): (State.SWITCHING, ("take_ack", "await_first_packet")),
    (State.SWITCHING, Seen.WAIT_OVER): (State.SWITCHING, ("note_packet",)),
    (State.SWITCHING, Seen.HEARS): (State.SWITCHING, ()),
    #
    (State.APOLOGISING, Seen.CONFIRMED): (State.APOLOGISING, ("take_ack",)),
    (State.APOLOGISING, Seen.PLAYED): (State.ENDING, ("end",)),
    #
    **{(State.ENDING, seen): (State.ENDING, row) for seen, row in _ENDING.items()},
    (State.ENDING, Seen.SETTLED): (State.ENDED, ("finish",)),
    (State.ENDING, Seen.WAITED_ENOUGH): (State.ENDED, ("finish",)),
}
