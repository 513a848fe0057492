"""What a conversation does: one small method for each word in the state table, and what they have to remember."""

from collections import deque
from collections.abc import Callable
from typing import Any

from sipgw.ai import actions as act
from sipgw.ai.dialect import Dialect
from sipgw.ai.events import (
    BackendEvent,
    CallerSpeech,
    Clear,
    Close,
    Closed,
    Drained,
    Ended,
    Failed,
    GatewayEvent,
    HangUpWish,
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
from sipgw.ai.seen import Event
from sipgw.ai.states import TABLE
from sipgw.audio import playout
from sipgw.trace import Mark, Note, Trace

STALE_WINDOW = 2.0
"""Seconds a backend that does not name its utterances has to notice that it was interrupted."""
STALE_ITEMS = 64
"""Utterances cut off that are remembered."""
HELD_MS = 30_000
"""Speech that comes before the caller can hear is kept this long, so that no greeting is lost."""


class Deeds:
    """The doing half of a conversation; the deciding half is `Conversation`."""

    __slots__ = (
        "_actions", "_attempt", "_call", "_calls", "_clearing", "_dialect", "_farewell", "_farewell_due",
        "_farewell_limit", "_held", "_held_bytes", "_inbox", "_muted", "_queued", "_ready", "_said", "_stale",
        "_stopped", "_told", "_trace", "_wanted", "_window",
    )  # fmt: skip

    def __init__(self, dialect: Dialect, farewell_limit: float, trace: Trace, call: str) -> None:
        self._dialect = dialect
        self._farewell_limit = farewell_limit
        self._trace, self._call = trace, call
        self._actions: list[act.Action] = []
        self._said = 0
        """Bytes of speech taken to be played."""
        self._inbox: deque[BackendEvent | Open] = deque()
        """What the backend said and nobody has dealt with."""
        self._clearing: Event | None = None
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
        self._attempt = 0
        """Reconnections so far."""
        self._told = False
        """The dialect was told something, and may have something to say to it."""

    def _drop(self, reason: str, detail: str, now: float) -> None:
        self._trace(Note(now, "ai", Mark.DROP, reason, self._call, detail))

    def _send(self, event: GatewayEvent, now: float) -> None:
        self._told = True
        self._dialect.send(event, now)

    def _tell(self, report: Report) -> None:
        self._actions.append(act.Tell(report))

    # --- setting up -------------------------------------------------------------------------------------------

    def _report_ready(self, event: Ready, now: float) -> None:
        self._ready = True
        self._tell(event)

    def _want_open(self, event: Open, now: float) -> None:
        self._wanted = event

    def _open_if_wanted(self, event: Ready, now: float) -> None:
        if self._wanted is not None:
            self._inbox.append(self._wanted)

    def _start(self, event: Open, now: float) -> None:
        self._send(Started(), now)

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
            self._send(MarkReached(name, cleared=True), now)

    def _release(self, event: Open, now: float) -> None:
        self._inbox.extendleft(reversed(self._held))
        self._held.clear()

    # --- speech -----------------------------------------------------------------------------------------------

    def _play(self, event: Speech, now: float) -> None:
        self._queued = True
        self._said += len(event.audio)
        self._actions.append(act.Play(event.audio, event.item))

    def _end_item(self, event: SpeechEnded, now: float) -> None:
        self._actions.append(act.EndItem(event.item))

    def _drop_speech(self, event: Speech, now: float) -> None:
        if self._muted and event.item and event.item not in self._stale:
            # Its middle would make no sense without its beginning.
            self._stale.append(event.item)
        self._drop("muted_speech" if self._muted else "stale_speech", event.item, now)

    def _clear(self, event: Event, now: float) -> None:
        self._clearing = event
        self._actions.append(act.ClearPlayout())

    def _open_window(self, event: Event, now: float) -> None:
        self._window = now + STALE_WINDOW

    def _pass_interruption(self, event: playout.Cleared, now: float) -> None:
        for item, sent_ms, queued_ms in event.items:
            # Speech without a name never ends; where all of it was heard, nothing was interrupted.
            if item or sent_ms < queued_ms:
                self._send(Interrupted(item, sent_ms, queued_ms), now)
        for name in event.marks:
            self._send(MarkReached(name, cleared=True), now)

    def _place_mark(self, event: PlaceMark, now: float) -> None:
        self._actions.append(act.PlaceMark(event.name))

    def _refuse_mark(self, event: PlaceMark, now: float) -> None:
        self._send(MarkReached(event.name, cleared=True), now)

    def _pass_mark(self, event: playout.MarkReached, now: float) -> None:
        self._send(MarkReached(event.name), now)

    def _pass_drained(self, event: playout.Drained, now: float) -> None:
        self._queued = False
        self._send(Drained(), now)

    # --- the caller -------------------------------------------------------------------------------------------

    def _pass_on(self, event: Any, now: float) -> None:
        self._send(event, now)

    def _note_speech(self, event: Event, now: float) -> None:
        self._stopped = None
        if isinstance(event, CallerSpeech):
            self._send(event, now)

    def _note_stop(self, event: Event, now: float) -> None:
        if self._stopped is None:
            self._stopped = now

    def _mute(self, event: Mute, now: float) -> None:
        self._muted = True

    def _unmute(self, event: Mute, now: float) -> None:
        self._muted = False

    # --- control ----------------------------------------------------------------------------------------------

    def _report(self, event: Any, now: float) -> None:
        self._tell(event)

    def _report_call(self, event: ToolCall | TransferWish, now: float) -> None:
        self._calls.add(event.id)
        self._tell(event)

    def _answer(self, event: ToolResult, now: float) -> None:
        self._calls.discard(event.id)
        self._send(event, now)

    def _report_turn(self, event: playout.PlayoutStarted, now: float) -> None:
        if self._stopped is not None:
            self._tell(Turn(round((now - self._stopped) * 1000)))
            self._stopped = None

    def _report_hang_up(self, event: HangUpWish, now: float) -> None:
        self._tell(WantsHangUp(event.id, event.reason))

    def _wait_for_farewell(self, event: HangUpWish, now: float) -> None:
        self._farewell, self._farewell_due = event, now + self._farewell_limit

    def _report_farewell(self, event: Event | None, now: float) -> None:
        wish, self._farewell, self._farewell_due = self._farewell, None, None
        if wish is not None:
            self._report_hang_up(wish, now)

    # --- the end ----------------------------------------------------------------------------------------------

    def _reconnect(self, event: Failed, now: float) -> None:
        self._calls.clear()
        self._actions.append(act.Reconnect(self._attempt))
        self._attempt += 1

    def _say_good_bye(self, event: Close, now: float) -> None:
        self._send(Ended(event.reason), now)
        self._actions += [act.Send(message) for message in self._dialect.to_send()]

    def _close_socket(self, event: Failed | Close, now: float) -> None:
        self._actions.append(act.CloseSocket(1000, event.reason))

    def _report_closed(self, event: Close, now: float) -> None:
        self._tell(Closed(event.reason))


DEEDS: dict[str, Callable[[Deeds, Any, float], None]] = {
    name: getattr(Deeds, f"_{name}") for name in {name for _, names in TABLE.values() for name in names}
}
"""The table's words. Made once, so that a word without a deed does not wait for a call to be noticed."""
