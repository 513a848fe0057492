"""Provisional responses that are certain to arrive (RFC 3262): ours, and the PRACKs for theirs."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sipgw.errors import PeerError
from sipgw.options import SipOptions
from sipgw.sip.grammar import MAX_31_BIT, MAX_32_BIT, number
from sipgw.sip.message import Request, Response
from sipgw.sip.timers import Timer, Timers

OPTION = "100rel"


@dataclass(frozen=True, slots=True)
class RAck:
    """Which provisional response a PRACK acknowledges (section 7.2)."""

    sequence: int
    cseq: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "RAck":
        """Read a value.

        Raises:
            PeerError: 400.
        """
        words = text.split()
        if len(words) != 3:
            raise PeerError(400, "Bad RAck")
        return cls(number(words[0], MAX_32_BIT, "RAck"), number(words[1], MAX_31_BIT, "RAck"), words[2])

    def __str__(self) -> str:
        return f"{self.sequence} {self.cseq} {self.method}"


class Reliable:
    """Our reliable provisional responses to one INVITE: one at a time, each repeated until its PRACK comes (section 3).

    Args:
        options: T1.
        timers: for the repeats.
        first: the first RSeq, which must not be guessed.
        send: sends a response.
        give_up: no PRACK came in 64 * T1.
    """

    def __init__(
        self,
        options: SipOptions,
        timers: Timers,
        first: int,
        send: Callable[[Response, float], None],
        give_up: Callable[[float], None],
    ) -> None:
        self._t1, self._timers, self._send, self._give_up = options.t1, timers, send, give_up
        self._next = first
        self._queue: deque[tuple[int, Response]] = deque()
        self._interval = 0.0
        self._repeat_timer: Timer | None = None
        self._give_up_timer: Timer | None = None

    @property
    def describes(self) -> bool:
        """Whether one with a description waits for its PRACK: no 2xx may leave before it has come (section 5)."""
        return any(response.body for _, response in self._queue)

    def number(self) -> int:
        """The RSeq for the next response."""
        taken, self._next = self._next, self._next + 1
        return taken

    def send(self, sequence: int, response: Response, now: float) -> None:
        """Send a response, once those before it have arrived."""
        self._queue.append((sequence, response))
        if len(self._queue) == 1:
            self._begin(now)

    def acknowledged(self, rack: RAck, now: float) -> Response | None:
        """Take a PRACK; the response that waited for it, None where it is for none."""
        if not self._queue or self._queue[0][0] != rack.sequence:
            return None
        _, response = self._queue.popleft()
        self._stop()
        if self._queue:
            self._begin(now)
        return response

    def settle(self) -> int | None:
        """There was a final response: nothing is repeated any more. The RSeq whose PRACK may still be on its way."""
        waiting = self._queue[0][0] if self._queue else None
        self._queue.clear()
        self._stop()
        return waiting

    def _begin(self, now: float) -> None:
        self._interval = self._t1
        self._give_up_timer = self._timers.start(now + 64 * self._t1, self._give_up)
        self._transmit(now)

    def _transmit(self, now: float) -> None:
        self._send(self._queue[0][1], now)
        self._repeat_timer = self._timers.start(now + self._interval, self._transmit)
        self._interval *= 2

    def _stop(self) -> None:
        self._timers.stop(self._repeat_timer)
        self._timers.stop(self._give_up_timer)


def wanted(response: Response) -> int | None:
    """The RSeq of a provisional response that wants a PRACK; None where it wants none."""
    if not 100 < response.status < 200 or OPTION not in (tag.lower() for tag in response.require):
        return None
    try:
        return number(response.headers.get("RSeq") or "", MAX_32_BIT, "RSeq")
    except PeerError:
        return None


def rack_of(request: Request) -> RAck:
    """The RAck of a PRACK.

    Raises:
        PeerError: 400 where there is none, or none that can be read.
    """
    return RAck.parse(request.single("RAck"))
