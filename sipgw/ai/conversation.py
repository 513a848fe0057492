"""One conversation: stands between a backend's dialect and the caller's playout, by the table in `states`.

Whoever drives it calls one method for each thing that happens and carries out `actions()` after every call.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sipgw.ai import actions as act
from sipgw.ai import seen as read
from sipgw.ai.cutter import Cutter
from sipgw.ai.dialect import Connect, Dialect
from sipgw.ai.events import (
    AudioFormat,
    BackendEvent,
    CallerSpeech,
    Clear,
    Close,
    Closed,
    DigitPressed,
    Drained,
    Dropped,
    Ended,
    Failed,
    HangUpWish,
    Intent,
    Interrupted,
    MarkReached,
    Mute,
    Open,
    PlaceMark,
    Ready,
    Report,
    Speech,
    SpeechEnded,
    Started,
    ToolCall,
    ToolResult,
    TransferWish,
    Turn,
    WantsHangUp,
)
from sipgw.ai.states import CONVERSING, TABLE, Seen, State
from sipgw.audio import playout
from sipgw.trace import Mark, Note, Trace, silent

STALE_WINDOW = 2.0
"""Seconds a backend that does not name its utterances has to notice that it was interrupted."""
STALE_ITEMS = 64
"""Utterances cut off that are remembered."""
HELD_MS = 30_000
"""Speech that comes before the caller can hear is kept this long, so that no greeting is lost."""
SILENCE = {AudioFormat.PCMU_8K: b"\xff", AudioFormat.PCMA_8K: b"\xd5"}
"""One byte of silence, where it is not zero."""


class Conversation:
    """One attempt at one backend.

    Args:
        dialect: translates; from here on nobody else calls it.
        barge_in: whose word interrupts: `backend`, `local`, `both` or `off`.
        farewell_limit: seconds a wish to hang up waits for the last words.
        trace: takes notes.
        call: the call's id, for the notes.
        reconnects: how often a connection lost during the call is opened again.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        barge_in: str = "backend",
        farewell_limit: float = 10.0,
        trace: Trace = silent,
        call: str = "",
        reconnects: int = 0,
    ) -> None:
        self._dialect = dialect
        self._interrupts = read.interrupters(barge_in)
        self._farewell_limit = farewell_limit
        self._trace, self._call = trace, call
        self._reconnects, self._attempt = reconnects, 0
        self.state = State.WARM
        self._actions: list[act.Action] = []
        self._inbox: deque[BackendEvent | Open] = deque()
        self._clearing: read.Event | None = None
        """What asked for a clear whose result is not known yet; what the backend says waits for that."""
        self._held: deque[Speech | SpeechEnded | PlaceMark] = deque()
        self._held_bytes = 0
        self._ready = False
        self._wanted: Open | None = None
        self._queued = False
        """The playout has speech of ours."""
        self._stale: deque[str] = deque(maxlen=STALE_ITEMS)
        self._window: float | None = None
        self._muted = False
        self._calls: set[str] = set()
        """Ids of tool calls and transfers that control has not answered."""
        self._stopped: float | None = None
        """When the caller stopped to speak, while no answer has been heard."""
        self._farewell: HangUpWish | None = None
        self._farewell_due: float | None = None
        self._carrying = False
        self._cutter = Cutter(dialect.audio_format.bytes_of(dialect.frame_ms))
        self._silence = SILENCE.get(dialect.audio_format, b"\0") * self._cutter.size

    # --- what happens -----------------------------------------------------------------------------------------

    def connect(self, now: float) -> Connect | None:
        """The socket to open, or None for a backend that is built in; again after a `Reconnect`."""
        self._ready = False
        self._cutter.reset()
        connect = self._dialect.open(now)
        self._pump(now)
        return connect

    def connected(self, now: float) -> None:
        """The socket is open."""
        self._dialect.connected(now)
        self._pump(now)

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """The socket closed (RFC 6455 close code, 1006 without one)."""
        self._dialect.disconnected(code, reason, now)
        self._pump(now)

    def message(self, message: str | bytes, now: float) -> None:
        """The backend sent a message."""
        self._dialect.receive(message, now)
        self._pump(now)

    def backend(self, event: BackendEvent, now: float) -> None:
        """Something is known of the backend without its dialect, such as a socket that could not be opened."""
        self._inbox.append(event)
        self._pump(now)

    def caller_audio(self, audio: bytes | memoryview, now: float) -> Sequence[str | bytes]:
        """The messages that carry the caller's audio; those may be dropped if the backend does not keep up."""
        if not self._carrying:
            return ()
        messages = []
        for frame in self._cutter.cut(audio):
            message = self._dialect.audio(self._silence if self._muted else frame, now)
            if message is not None:
                messages.append(message)
        self._pump(now)
        return messages

    def intent(self, intent: Intent, now: float) -> None:
        """Control wants something."""
        self._on(intent, now)
        self._pump(now)

    def digit(self, digit: str, duration_ms: int, now: float) -> None:
        """The caller pressed a key."""
        self._on(DigitPressed(digit, duration_ms), now)
        self._pump(now)

    def caller_speech(self, speaking: bool, now: float) -> None:
        """Our own VAD heard the caller start or stop."""
        self._on(CallerSpeech(speaking), now)
        self._pump(now)

    def playout_event(self, event: playout.PlayoutEvent, now: float) -> None:
        """Something left for the caller."""
        self._on(event, now)
        self._pump(now)

    def cleared(self, result: playout.Cleared, now: float) -> None:
        """What a `ClearPlayout` dropped."""
        cause, self._clearing = self._clearing, None
        if not isinstance(cause, Clear):
            # Messages come in order, so what follows the backend's own order to clear is new.
            self._stale += [item for item, _, _ in result.items if item]
        self._queued = False
        self._on(result, now)
        self._pump(now)

    def handle_timers(self, now: float) -> None:
        """Do what is due."""
        if self._window is not None and now >= self._window:
            self._see(Seen.WINDOW_OVER, None, now)
        if self._farewell_due is not None and now >= self._farewell_due:
            self._see(Seen.FAREWELL_OVER, None, now)
        self._dialect.handle_timers(now)
        self._pump(now)

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted next, or None."""
        due = (self._window, self._farewell_due, self._dialect.next_timer())
        return min((when for when in due if when is not None), default=None)

    def actions(self) -> list[act.Action]:
        """Take what is to be done, in order."""
        if not self._actions:
            return []
        taken, self._actions = self._actions, []
        return taken

    # --- the table --------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> None:
        """Take from the dialect until it has nothing more, unless a clear's result has to come first."""
        while True:
            self._inbox += self._dialect.events()
            self._actions += [act.Send(message) for message in self._dialect.to_send()]
            if not self._inbox or self._clearing is not None:
                return
            self._on(self._inbox.popleft(), now)

    def _on(self, event: read.Event, now: float) -> None:
        if isinstance(event, Dropped):
            self._drop(event.reason, event.detail, now)
        else:
            self._see(self._seen(event), event, now)

    def _seen(self, event: read.Event) -> Seen:
        """What an event is here and now; for most of them their kind says it."""
        match event:
            case Speech(item=item):
                return Seen.STALE_SPEECH if self._is_stale(item) else Seen.SPEECH
            case PlaceMark():
                return Seen.STALE_MARK if self._muted or self.state is State.INTERRUPTED else Seen.MARK
            case Failed(permanent=False) if self.state in CONVERSING and self._attempt < self._reconnects:
                return Seen.LOST
            case Open() if not self._ready and self.state is State.WARM:
                return Seen.OPEN_UNREADY
            case Open(early=False) if self._queued:
                return Seen.OPEN_SPEAKING if self.state is State.EARLY else Seen.OPEN
        return read.seen(event, self._interrupts)

    def _is_stale(self, item: str) -> bool:
        if self._muted:
            return True
        return item in self._stale if item else self.state is State.INTERRUPTED

    def _see(self, seen: Seen, event: read.Event | None, now: float) -> None:
        row = TABLE.get((self.state, seen))
        if row is None:
            self._drop("out_of_place", f"{seen.name.lower()} while {self.state.name.lower()}", now)
            return
        state, names = row
        for name in names:
            ACTIONS[name](self, event, now)
        self._enter(State.TOOL if state is State.LISTENING and self._calls else state, seen, now)

    def _enter(self, state: State, seen: Seen, now: float) -> None:
        if state is self.state:
            return
        self.state = state
        self._carrying = state in CONVERSING
        if state is not State.INTERRUPTED:
            self._window = None
        if state is State.CLOSED:
            self._farewell = self._farewell_due = None
        self._trace(Note(now, "ai", Mark.STATE, state.name.lower(), self._call, seen.name.lower()))

    def _drop(self, reason: str, detail: str, now: float) -> None:
        self._trace(Note(now, "ai", Mark.DROP, reason, self._call, detail))

    def _tell(self, report: Report) -> None:
        self._actions.append(act.Tell(report))

    # --- actions: setting up ----------------------------------------------------------------------------------

    def _report_ready(self, event: Ready, now: float) -> None:
        self._ready = True
        self._tell(event)

    def _want_open(self, event: Open, now: float) -> None:
        self._wanted = event

    def _open_if_wanted(self, event: Ready, now: float) -> None:
        if self._wanted is not None:
            self._inbox.append(self._wanted)

    def _start(self, event: Open, now: float) -> None:
        self._dialect.send(Started(), now)

    def _hold(self, event: Speech | SpeechEnded | PlaceMark, now: float) -> None:
        if isinstance(event, Speech):
            if self._dialect.audio_format.ms_of(self._held_bytes + len(event.audio)) > HELD_MS:
                self._drop("early_speech", event.item, now)
                return
            self._held_bytes += len(event.audio)
        self._held.append(event)

    def _drop_held(self, event: Clear, now: float) -> None:
        marks = [held.name for held in self._held if isinstance(held, PlaceMark)]
        self._held.clear()
        self._held_bytes = 0
        for name in marks:
            self._dialect.send(MarkReached(name, cleared=True), now)

    def _release(self, event: Open, now: float) -> None:
        self._inbox.extendleft(reversed(self._held))
        self._held.clear()

    # --- actions: speech --------------------------------------------------------------------------------------

    def _play(self, event: Speech, now: float) -> None:
        self._queued = True
        self._actions.append(act.Play(event.audio, event.item))

    def _end_item(self, event: SpeechEnded, now: float) -> None:
        self._actions.append(act.EndItem(event.item))

    def _drop_speech(self, event: Speech, now: float) -> None:
        if self._muted and event.item and event.item not in self._stale:
            # Its middle would make no sense without its beginning.
            self._stale.append(event.item)
        self._drop("muted_speech" if self._muted else "stale_speech", event.item, now)

    def _clear(self, event: read.Event, now: float) -> None:
        self._clearing = event
        self._actions.append(act.ClearPlayout())

    def _open_window(self, event: read.Event, now: float) -> None:
        self._window = now + STALE_WINDOW

    def _pass_interruption(self, event: playout.Cleared, now: float) -> None:
        for item, sent_ms, queued_ms in event.items:
            # Speech without a name never ends; where all of it was heard, nothing was interrupted.
            if item or sent_ms < queued_ms:
                self._dialect.send(Interrupted(item, sent_ms, queued_ms), now)
        for name in event.marks:
            self._dialect.send(MarkReached(name, cleared=True), now)

    def _place_mark(self, event: PlaceMark, now: float) -> None:
        self._actions.append(act.PlaceMark(event.name))

    def _refuse_mark(self, event: PlaceMark, now: float) -> None:
        self._dialect.send(MarkReached(event.name, cleared=True), now)

    def _pass_mark(self, event: playout.MarkReached, now: float) -> None:
        self._dialect.send(MarkReached(event.name), now)

    def _pass_drained(self, event: playout.Drained, now: float) -> None:
        self._queued = False
        self._dialect.send(Drained(), now)

    # --- actions: the caller ----------------------------------------------------------------------------------

    def _pass_on(self, event: Any, now: float) -> None:
        self._dialect.send(event, now)

    def _note_speech(self, event: read.Event, now: float) -> None:
        self._stopped = None
        if isinstance(event, CallerSpeech):
            self._dialect.send(event, now)

    def _note_stop(self, event: read.Event, now: float) -> None:
        if self._stopped is None:
            self._stopped = now

    def _mute(self, event: Mute, now: float) -> None:
        self._muted = True

    def _unmute(self, event: Mute, now: float) -> None:
        self._muted = False

    # --- actions: control -------------------------------------------------------------------------------------

    def _report(self, event: Any, now: float) -> None:
        self._tell(event)

    def _report_call(self, event: ToolCall | TransferWish, now: float) -> None:
        self._calls.add(event.id)
        self._tell(event)

    def _answer(self, event: ToolResult, now: float) -> None:
        self._calls.discard(event.id)
        self._dialect.send(event, now)

    def _report_turn(self, event: playout.PlayoutStarted, now: float) -> None:
        if self._stopped is not None:
            self._tell(Turn(round((now - self._stopped) * 1000)))
            self._stopped = None

    def _report_hang_up(self, event: HangUpWish, now: float) -> None:
        self._tell(WantsHangUp(event.id, event.reason))

    def _wait_for_farewell(self, event: HangUpWish, now: float) -> None:
        self._farewell, self._farewell_due = event, now + self._farewell_limit

    def _report_farewell(self, event: read.Event | None, now: float) -> None:
        wish, self._farewell, self._farewell_due = self._farewell, None, None
        if wish is not None:
            self._report_hang_up(wish, now)

    # --- actions: the end -------------------------------------------------------------------------------------

    def _reconnect(self, event: Failed, now: float) -> None:
        self._calls.clear()
        self._actions.append(act.Reconnect(self._attempt))
        self._attempt += 1

    def _say_good_bye(self, event: Close, now: float) -> None:
        self._dialect.send(Ended(event.reason), now)
        self._actions += [act.Send(message) for message in self._dialect.to_send()]

    def _close_socket(self, event: Failed | Close, now: float) -> None:
        self._actions.append(act.CloseSocket(1000, event.reason))

    def _report_closed(self, event: Close, now: float) -> None:
        self._tell(Closed(event.reason))


ACTIONS: dict[str, Callable[[Conversation, Any, float], None]] = {
    name: getattr(Conversation, f"_{name}") for name in {name for _, names in TABLE.values() for name in names}
}
"""The table's words. Made once, so that a word without a deed does not wait for a call to be noticed."""
