"""What the four transactions have in common (RFC 3261 section 17 with RFC 6026): a state, a table, timers.

A table maps (state, what was seen) to (next state, actions). Actions are the names of methods. Where there is no row,
nothing happens and a drop is traced.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sipgw.flow import Flow
from sipgw.options import SipOptions
from sipgw.sip.message import Request, Response
from sipgw.sip.timers import Intervals, Timer, Timers
from sipgw.trace import Mark, Note, Trace


class State(Enum):
    """States of RFC 3261 figures 5 to 8, and Accepted from RFC 6026."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Seen(Enum):
    """What a transaction can see: messages, our own orders, timers, and a transport that failed."""

    REPEAT = "repeat"
    """The request again."""
    ACK = "ack"
    PROVISIONAL = "provisional"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMER_A = "timer_a"
    TIMER_B = "timer_b"
    TIMER_D = "timer_d"
    TIMER_E = "timer_e"
    TIMER_F = "timer_f"
    TIMER_G = "timer_g"
    TIMER_H = "timer_h"
    TIMER_I = "timer_i"
    TIMER_J = "timer_j"
    TIMER_K = "timer_k"
    TIMER_L = "timer_l"
    TIMER_M = "timer_m"
    TRANSPORT_FAILED = "transport_failed"


Table = Mapping[tuple[State, Seen], tuple[State, tuple[str, ...]]]
Key = tuple[str, ...]
"""What finds a transaction; the first word says which kind of key it is."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a transaction stands on: timers, a way to send, a way to say that it has ended."""

    options: SipOptions
    timers: Timers
    send: Callable[[bytes, Flow, float], None]
    ended: Callable[["Transaction"], None]
    trace: Trace


def kind_of(response: Response) -> Seen:
    """What a transaction sees in a response."""
    if response.status < 200:
        return Seen.PROVISIONAL
    return Seen.SUCCESS if response.status < 300 else Seen.FAILURE


class Transaction:
    """One transaction. `flow` is where its messages go.

    Args:
        key: under which the agent finds it.
        request: what it is about.
        flow: where to send.
        ground: what all transactions of an agent share.
    """

    TABLE: ClassVar[Table]
    FIRST: ClassVar[State]

    def __init__(self, key: Key, request: Request, flow: Flow, ground: Ground) -> None:
        self.key = key
        self.request = request
        self.flow = flow
        self.state = self.FIRST
        self.intervals = Intervals.of(ground.options, reliable=flow.reliable)
        self._ground = ground
        self._timers: dict[Seen, Timer] = {}

    def see(self, seen: Seen, now: float, message: Request | Response | None = None) -> None:
        """Take the table's row for `seen`."""
        row = self.TABLE.get((self.state, seen))
        if row is None:
            self._note(Mark.DROP, f"unexpected_{seen.value}", now)
            return
        self.state, actions = row
        for action in actions:
            getattr(self, action)(now, message)

    def transport_failed(self, now: float) -> None:
        """The transport could not deliver what was sent."""
        self.see(Seen.TRANSPORT_FAILED, now)

    def end(self, now: float, _: object = None) -> None:
        """Stop everything and leave the agent's books."""
        self.state = State.TERMINATED
        self.stop_timers()
        self._ground.ended(self)

    def start(self, timer: Seen, now: float, delay: float) -> None:
        """Let `timer` fire once, `delay` from `now`."""
        self.stop(timer)
        self._timers[timer] = self._ground.timers.start(now + delay, lambda then: self._fire(timer, then))

    def stop(self, timer: Seen) -> None:
        """Make sure `timer` does not fire."""
        self._ground.timers.stop(self._timers.pop(timer, None))

    def stop_timers(self, *_: object) -> None:
        """Stop all timers."""
        for timer in self._timers.values():
            self._ground.timers.stop(timer)
        self._timers.clear()

    def _fire(self, timer: Seen, now: float) -> None:
        self._timers.pop(timer, None)
        self._note(Mark.TIMER, timer.value, now)
        self.see(timer, now)

    def _send(self, data: bytes, now: float) -> None:
        self._ground.send(data, self.flow, now)

    def _note(self, mark: Mark, name: str, now: float) -> None:
        detail = f"{self.request.method} {type(self).__name__} {self.state.value}"
        self._ground.trace(Note(now, "sip", mark, name, detail=detail))
