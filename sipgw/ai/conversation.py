"""One conversation: stands between a backend's dialect and the caller's playout, by the table in `states`.

Whoever drives it calls one method for each thing that happens and carries out `actions()` after every call.
"""

from collections.abc import Sequence

from sipgw.ai import actions as act
from sipgw.ai import seen as read
from sipgw.ai.cutter import Cutter
from sipgw.ai.deeds import DEEDS, Deeds
from sipgw.ai.dialect import Connect, Dialect
from sipgw.ai.events import (
    AudioFormat,
    BackendEvent,
    CallerSpeech,
    Clear,
    DigitPressed,
    Dropped,
    Failed,
    HangUpWish,
    Intent,
    Open,
    PlaceMark,
    Speech,
    Spent,
)
from sipgw.ai.states import CONVERSING, TABLE, Seen, State
from sipgw.audio import playout
from sipgw.trace import Mark, Note, Trace, silent

SILENCE = {AudioFormat.PCMU_8K: b"\xff", AudioFormat.PCMA_8K: b"\xd5"}
"""One byte of silence, where it is not zero."""

_SPEAKING = State.SPEAKING
"""What every frame of speech is compared with: looking a member up in its class takes longer (Python 3.11)."""


class Conversation(Deeds):
    """One attempt at one backend.

    Args:
        dialect: translates; from here on nobody else calls it.
        barge_in: whose word interrupts: `backend`, `local`, `both` or `off`.
        farewell_limit: seconds a wish to hang up waits for the last words.
        trace: takes notes.
        call: the call's id, for the notes.
        reconnects: how often a connection lost during the call is opened again.
    """

    __slots__ = (
        "_began", "_carrying", "_connected", "_cutter", "_heard", "_interrupts", "_reconnects", "_silence", "state",
    )  # fmt: skip

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
        super().__init__(dialect, farewell_limit, trace, call)
        self._interrupts = read.interrupters(barge_in)
        self._reconnects = reconnects
        self.state = State.WARM
        self._carrying = False
        self._heard = 0
        """Bytes of the caller's audio that were carried."""
        self._began: float | None = None
        self._connected: float | None = None
        self._cutter = Cutter(dialect.audio_format.bytes_of(dialect.frame_ms))
        self._silence = SILENCE.get(dialect.audio_format, b"\0") * self._cutter.size

    # --- what happens -----------------------------------------------------------------------------------------

    def connect(self, now: float) -> Connect | None:
        """The socket to open, or None for a backend that is built in; again after a `Reconnect`."""
        self._ready = False
        if self._began is None:
            self._began = now
        self._cutter.reset()
        connect = self._dialect.open(now)
        self._pump(now)
        return connect

    def connected(self, now: float) -> None:
        """The socket is open."""
        if self._connected is None:
            self._connected = now
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
        self._heard += len(audio)
        messages = []
        for frame in self._cutter.cut(audio):
            message = self._dialect.audio(self._silence if self._muted else frame, now)
            if message is not None:
                messages.append(message)
        if not messages:  # only a frame that is not sent can have been answered at once
            self._pump(now)
        return messages

    def spent(self) -> Spent:
        """What it has come to."""
        audio, took = self._dialect.audio_format, None
        if self._began is not None and self._connected is not None:
            took = round((self._connected - self._began) * 1000)
        return Spent(took, round(audio.ms_of(self._heard)), round(audio.ms_of(self._said)))

    def intent(self, intent: Intent, now: float) -> None:
        """Control wants something."""
        self._on(intent, now)
        self._pump(now)

    def digit(self, digit: str, duration_ms: int, now: float) -> None:
        """The caller pressed a key."""
        self._on(DigitPressed(digit, duration_ms), now)
        self._pump(now)

    def caller_speech(self, speaking: bool, now: float) -> None:
        """Our own VAD heard the caller start or stop; what is not carried to the backend does not interrupt it."""
        if speaking and self._muted:
            return
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
        due = self._dialect.next_timer()
        if self._window is None and self._farewell_due is None:
            return due
        return min(when for when in (self._window, self._farewell_due, due) if when is not None)

    def actions(self) -> list[act.Action]:
        """Take what is to be done, in order."""
        if not self._actions:
            return []
        taken, self._actions = self._actions, []
        return taken

    # --- the table --------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> None:
        """Take from the dialect until it has nothing more, unless a clear's result has to come first."""
        inbox, dialect = self._inbox, self._dialect
        self._told = True
        while True:
            if self._told:  # it has something new only once it was told something
                self._told = False
                inbox += dialect.events()
                if messages := dialect.to_send():
                    self._actions += map(act.Send, messages)
            if not inbox or self._clearing is not None:
                return
            self._on(inbox.popleft(), now)

    def _on(self, event: read.Event, now: float) -> None:
        if type(event) is Speech and self.state is _SPEAKING and not self._muted and event.item not in self._stale:
            # The usual case, fifty times a second; the table says the same.
            self._queued = True
            self._said += len(event.audio)
            self._actions.append(act.Play(event.audio, event.item))
        elif isinstance(event, Dropped):
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
            case HangUpWish() if self._queued and self.state is State.EARLY:
                return Seen.HANG_UP_SPEAKING
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
            DEEDS[name](self, event, now)
        if state is State.LISTENING and self._calls:
            state = State.TOOL
        if state is not self.state:
            self._enter(state, seen, now)

    def _enter(self, state: State, seen: Seen, now: float) -> None:
        self.state = state
        self._carrying = state in CONVERSING
        if state is not State.INTERRUPTED:
            self._window = None
        if state is State.CLOSED:
            self._farewell = self._farewell_due = None
        self._trace(Note(now, "ai", Mark.STATE, state.name.lower(), self._call, seen.name.lower()))
