"""Joins one conversation with its socket and its playout: carries events in, actions out, and keeps its timer.

Whatever goes wrong in here ends this session and no other.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from sipgw.ai import actions as act
from sipgw.ai.conversation import Conversation
from sipgw.ai.dialect import Dialect
from sipgw.ai.events import Close, Failed, Intent, Ready, Report
from sipgw.audio.playout import Playout, PlayoutEvent
from sipgw.media.plane import ConnectBackend
from sipgw.trace import Mark, Note, Trace
from sipgw.worker.ai_connect import backoff
from sipgw.worker.ai_socket import AiSocket

SHORTEST_NAP = 0.001
"""uvloop's timers have a resolution of a millisecond and may fire early."""


class Talk:
    """One attempt at one backend, for one session.

    Args:
        command: what to connect to.
        dialect: translates.
        playout: takes the backend's speech.
        report: takes what control is to be told.
        broken: takes an exception that ended this talk: a defect of ours.
        sockets: every socket that is not yet closed; closing takes longer than a talk.
        trace: takes notes.
    """

    __slots__ = (
        "_backend", "_broken", "_call", "_conversation", "_deadline", "_due", "_loop", "_opening", "_over", "_report",
        "_socket", "_sockets", "_timer", "_trace", "playout",
    )  # fmt: skip

    def __init__(
        self,
        command: ConnectBackend,
        dialect: Dialect,
        playout: Playout,
        report: Callable[[Report], None],
        broken: Callable[[Exception], None],
        sockets: set[AiSocket],
        trace: Trace,
    ) -> None:
        self.playout = playout
        self._backend = command.backend
        self._call = command.facts.call
        self._report, self._broken, self._sockets, self._trace = report, broken, sockets, trace
        self._loop = asyncio.get_running_loop()
        self._conversation = Conversation(
            dialect,
            barge_in=command.backend.barge_in,
            farewell_limit=command.farewell_limit,
            trace=trace,
            call=command.facts.call,
            reconnects=command.backend.reconnects,
        )
        self._socket: AiSocket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._opening: asyncio.TimerHandle | None = None
        """Opens the socket again after a loss."""
        self._deadline: asyncio.TimerHandle | None = None
        """Runs until the session is set up."""
        self._over = False

    # --- what happens -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the backend."""
        self._do(self._open)

    def intent(self, intent: Intent) -> None:
        """Control wants something."""
        self._do(self._conversation.intent, intent)

    def digit(self, digit: str, duration_ms: int) -> None:
        """The caller pressed a key."""
        self._do(self._conversation.digit, digit, duration_ms)

    def caller_speech(self, speaking: bool) -> None:
        """Our VAD heard the caller start or stop."""
        self._do(self._conversation.caller_speech, speaking)

    def playout_event(self, event: PlayoutEvent) -> None:
        """Something left for the caller."""
        self._do(self._conversation.playout_event, event)

    def audio(self, audio: bytes | memoryview) -> None:
        """The caller said this, in the backend's format."""
        if self._over:
            return
        now = time.monotonic()
        try:
            messages = self._conversation.caller_audio(audio, now)
            for message in messages:
                # A backend that takes audio is set up; after a reconnection there is no other word of it.
                if self._deadline is not None:
                    self._is_set_up()
                if self._socket is not None:
                    self._socket.send_audio(message)
            if not messages:
                self._carry_out(now)
        except Exception as error:  # noqa: BLE001 - as in `_do`, without its calls
            self._fail(error)

    def end(self, reason: str) -> None:
        """The call, or this attempt, is over: say good-bye, close the socket in its own time."""
        self._do(self._conversation.intent, Close(reason))
        self.cut()

    def cut(self) -> None:
        """End at once; after the last word, what it came to, nothing more comes."""
        if self._over:
            return
        self._over = True
        for timer in (self._timer, self._opening, self._deadline):
            if timer is not None:
                timer.cancel()
        if self._socket is not None:
            self._socket.close(1000, "")
        self._report(self._conversation.spent())

    # --- the socket's word ------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The socket is open."""
        self._do(self._conversation.connected)

    def message(self, message: str | bytes) -> None:
        """The backend sent a message."""
        if self._over:
            return
        now = time.monotonic()
        try:
            self._conversation.message(message, now)
            self._carry_out(now)
        except Exception as error:  # noqa: BLE001 - as in `_do`, without its calls
            self._fail(error)

    def failed(self, failure: Failed) -> None:
        """The socket could not be opened."""
        self._do(self._conversation.backend, failure)

    def lost(self, code: int, reason: str) -> None:
        """The socket closed."""
        self._do(self._conversation.disconnected, code, reason)

    def dropped(self, reason: str) -> None:
        """The backend does not keep up."""
        self._trace(Note(time.monotonic(), "ai", Mark.DROP, reason, self._call))

    # --- the work ---------------------------------------------------------------------------------------------

    def _do(self, method: Callable[..., None], *arguments: object) -> None:
        if self._over:
            return
        now = time.monotonic()
        try:
            method(*arguments, now)
            self._carry_out(now)
        except Exception as error:  # noqa: BLE001 - a defect may cost its own call, never the loop
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.cut()
        self._broken(error)

    def _carry_out(self, now: float) -> None:
        while actions := self._conversation.actions():
            for action in actions:
                if type(action) is act.Play:
                    self.playout.add(action.audio, action.item)
                else:
                    _DEEDS[type(action)](self, action, now)
        due = self._conversation.next_timer()
        if due != self._due:
            self._arm(due, now)

    def _arm(self, due: float | None, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            self._timer = self._loop.call_later(max(due - now, SHORTEST_NAP), self._wake)

    def _wake(self) -> None:
        self._due = None
        self._do(self._conversation.handle_timers)

    def _open(self, now: float) -> None:
        self._opening = None
        connect = self._conversation.connect(now)
        self._deadline = self._loop.call_later(self._backend.connect_timeout, self._not_set_up)
        if connect is None:
            return
        self._socket = AiSocket(connect, self._backend, self)
        self._sockets.add(self._socket)
        self._socket.start(self._sockets.discard)

    def _not_set_up(self) -> None:
        self._let_go()
        self._do(self._conversation.backend, Failed("setup_timeout"))

    def _is_set_up(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _let_go(self) -> None:
        self._is_set_up()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- deeds ------------------------------------------------------------------------------------------------

    def _end_item(self, action: act.EndItem, now: float) -> None:
        self.playout.end(action.item)

    def _clear(self, action: act.ClearPlayout, now: float) -> None:
        self._conversation.cleared(self.playout.clear(), now)

    def _mark(self, action: act.PlaceMark, now: float) -> None:
        self.playout.mark(action.name)

    def _send(self, action: act.Send, now: float) -> None:
        if self._socket is not None:
            self._socket.send(action.message)

    def _tell(self, action: act.Tell, now: float) -> None:
        if isinstance(action.report, Ready):
            self._is_set_up()
        self._report(action.report)

    def _reconnect(self, action: act.Reconnect, now: float) -> None:
        self._let_go()
        self._opening = self._loop.call_later(backoff(action.attempt), self._do, self._open)

    def _close_socket(self, action: act.CloseSocket, now: float) -> None:
        self._is_set_up()
        if self._socket is not None:
            self._socket.close(action.code, action.reason)


_DEEDS: dict[type, Callable[[Talk, Any, float], None]] = {
    act.EndItem: Talk._end_item,
    act.ClearPlayout: Talk._clear,
    act.PlaceMark: Talk._mark,
    act.Send: Talk._send,
    act.Tell: Talk._tell,
    act.Reconnect: Talk._reconnect,
    act.CloseSocket: Talk._close_socket,
}
