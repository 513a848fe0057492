"""Runs a pure core on asyncio: hands it datagrams, time and commands, and takes out what it wants sent and told."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from sipgw.flow import Flow
from sipgw.io.clock import Clock, MonotonicClock
from sipgw.trace import Mark, Note, Trace, silent

T = TypeVar("T")
E = TypeVar("E")

_SHORTEST_NAP = 0.001
"""uvloop rounds to milliseconds and may wake a little early; a shorter nap would then spin."""
_NAP_AFTER_FAILURE = 0.1
"""A core whose timers fail keeps them due; it is not asked again at once."""


class Core(Protocol[E]):
    """What a protocol core offers to whoever drives it. It does no I/O and reads no clock."""

    def receive(self, data: bytes, source: Flow, now: float) -> None:
        """A datagram came."""

    def handle_timers(self, now: float) -> None:
        """Do what is due."""

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted next, or None."""

    def to_send(self) -> list[tuple[bytes, Flow]]:
        """Take the datagrams to send, in order."""

    def events(self) -> list[E]:
        """Take what happened, in order."""


class Driver(Generic[E]):
    """Drives one core.

    Args:
        core: what to run.
        send: the transport.
        on_event: gets the core's events, in order, with the time. It may call `run` again: what that causes is sent
            at once, and its events are delivered after those that are waiting.
        clock: where `now` comes from.
        before_send: called each time before something is sent.
        trace: hears of exceptions, which are defects; they cost one datagram, timer or event and not the loop, whose
            exception handler gets them as well.
    """

    def __init__(
        self,
        core: Core[E],
        send: Callable[[bytes, Flow], None],
        on_event: Callable[[E, float], None],
        *,
        clock: Clock | None = None,
        before_send: Callable[[], None] = lambda: None,
        trace: Trace = silent,
    ) -> None:
        self._core = core
        self._send = send
        self._on_event = on_event
        self._before_send = before_send
        self._clock = clock or MonotonicClock()
        self._trace = trace
        self._waiting: deque[E] = deque()
        self._delivering = False
        self._closed = False
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def receive(self, data: bytes, source: Flow) -> None:
        """A datagram came; the transport calls this."""
        self._guarded("receive_failed", self._core.receive, data, source)
        self._drain()

    def run(self, action: Callable[[float], T]) -> T:
        """Give the core a command: `action(now)` calls it. What it raises comes back to the caller."""
        try:
            return action(self._clock.now())
        finally:
            self._drain()

    def close(self) -> None:
        """Stop the timer; nothing more is delivered."""
        self._closed = True
        self._arm(None)
        self._waiting.clear()

    def _drain(self) -> None:
        """Send and deliver until the core has nothing more to say, then set the timer."""
        self._collect()
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._waiting:
                self._guarded("event_failed", self._on_event, self._waiting.popleft())
                self._collect()
        finally:
            self._delivering = False
        if not self._closed:
            self._arm(self._core.next_timer())

    def _collect(self) -> None:
        if outgoing := self._core.to_send():
            self._before_send()
            for data, flow in outgoing:
                self._send(data, flow)
        if not self._closed:
            self._waiting.extend(self._core.events())

    def _arm(self, due: float | None, nap: float = _SHORTEST_NAP) -> None:
        """Keep the one timer at `due`."""
        if due == self._due and (self._timer is not None or due is None):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(loop.time() + max(due - self._clock.now(), nap), self._wake)

    def _wake(self) -> None:
        self._timer = None
        if not self._guarded("timers_failed", self._core.handle_timers):
            self._due = None
            self._arm(self._core.next_timer(), _NAP_AFTER_FAILURE)
        self._drain()

    def _guarded(self, name: str, action: Callable[..., None], *arguments: object) -> bool:
        """Call `action` with the time as its last argument. Returns whether it went well."""
        now = self._clock.now()
        try:
            action(*arguments, now)
        except Exception as error:  # noqa: BLE001 a defect met by one call must not end all the others
            self._trace(Note(now, "io", Mark.DROP, name, detail=repr(error)))
            asyncio.get_running_loop().call_exception_handler({"message": f"core {name}", "exception": error})
            return False
        return True
