"""Keys one far end is yet to get: packets of the session's own stream, one each packet interval (RFC 4733)."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

from sipgw.errors import UsageError
from sipgw.rtp.dtmf import KEYS, EventPacket, press


@dataclass(slots=True)
class _Order:
    """The keys of one command."""

    count: int
    packets: Iterator[EventPacket | None]


class Keys:
    """The keys of one session, in the order in which they were asked for.

    Args:
        ptime_ms: the session's packet interval.
        clock_hz: timestamp units a second.
        told: takes how many keys have left, and whether all of them did.
    """

    __slots__ = ("_began", "_clock_hz", "_orders", "_ptime_ms", "_told")

    def __init__(self, ptime_ms: int, clock_hz: int, told: Callable[[int, bool], None]) -> None:
        self._ptime_ms, self._clock_hz, self._told = ptime_ms, clock_hz, told
        self._orders: deque[_Order] = deque()
        self._began = 0
        """The timestamp at which the newest key went down."""

    @property
    def left(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._orders)

    def add(self, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send these keys too.

        Raises:
            UsageError: one of them is no key, or there are none.
        """
        if not digits or not set(digits.upper()) <= set(KEYS):
            raise UsageError(f"keys are {KEYS}, not {digits!r}")
        self._orders.append(_Order(len(digits), self._packets(digits, duration_ms, gap_ms)))

    def next(self, timestamp: int) -> EventPacket | None:
        """The packet to send in place of the sound of this interval, which begins at `timestamp`; None is silence."""
        while self._orders:
            order = self._orders[0]
            for packet in order.packets:
                return packet and self._placed(packet, timestamp)
            self._orders.popleft()
            self._told(order.count, True)
        return None

    def stop(self) -> None:
        """Nothing more is to be sent."""
        while self._orders:
            self._told(self._orders.popleft().count, False)

    def _placed(self, packet: EventPacket, timestamp: int) -> EventPacket:
        """With its place on the stream's time line: all packets of a key have the timestamp of its beginning."""
        if packet.marker:
            self._began = timestamp
        return EventPacket(packet.payload, packet.marker, (self._began + packet.timestamp) & 0xFFFFFFFF)

    def _packets(self, digits: str, duration_ms: int, gap_ms: int) -> Iterator[EventPacket | None]:
        for digit in digits:
            yield from press(digit, duration_ms, self._ptime_ms, self._clock_hz)
            yield from repeat(None, -(-gap_ms // self._ptime_ms))
