"""Keys pressed, as telephone-event packets (RFC 4733): each key once in, and the packets of a key out."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from sipgw.errors import UsageError

KEYS = "0123456789*#ABCD"
"""The keys by their event codes (RFC 4733 section 3.2)."""

_EVENT = Struct("!BBH")
_END = 0x80
_VOLUME = 0x3F
_LONGEST = 0xFFFF
"""Of one segment; a longer press goes on in another one, at a later timestamp (RFC 4733 section 2.5.1.3)."""
_END_PACKETS = 3


@dataclass(frozen=True, slots=True)
class Digit:
    """A key that was pressed and let go."""

    digit: str
    duration_ms: int


@dataclass(slots=True)
class _Press:
    """The newest press: the one going on, or the last one."""

    event: int
    began: int
    """Timestamp of its first segment: what tells one press from the next."""
    segment: int
    """Timestamp of its newest segment."""
    duration: int
    seen: float
    reported: bool = False
    ended: bool = False


class DtmfReceiver:
    """Yields each key once, when it is let go.

    That is at the first packet with the end bit; or, where all of those got lost, when another press begins or no
    packet came for `patience` seconds.

    Args:
        clock_hz: timestamp units a second.
        patience: longer than any sender's packet interval, which RFC 4733 wants at 50 ms or below.
    """

    __slots__ = ("_clock_hz", "_late", "_patience", "_press")

    def __init__(self, clock_hz: int = 8000, patience: float = 0.2) -> None:
        self._clock_hz = clock_hz
        self._patience = patience
        self._late = 2 * clock_hz
        self._press: _Press | None = None

    def receive(self, timestamp: int, payload: bytes | memoryview, now: float) -> Digit | None:
        """Take one packet's payload; what is no key (flash, tones, too short) changes nothing."""
        if len(payload) < _EVENT.size:
            return None
        event, flags, duration = _EVENT.unpack_from(payload)
        if event >= len(KEYS):
            return None
        lost = None
        press = self._press
        if press is None or not self._belongs(press, event, timestamp):
            if press and self._is_late(press, timestamp):
                return None
            lost = self._finish(press)
            press = self._press = _Press(event, timestamp, timestamp, 0, now)
        press.seen = now
        press.duration = max(press.duration, (press.segment - press.began) % (1 << 32) + duration)
        if flags & _END:
            press.ended = True
            return lost or self._finish(press)  # two at once: the second follows by its repeated end or the timer
        return lost

    def handle_timers(self, now: float) -> Digit | None:
        """The key whose end packets all got lost, once it is silent for long enough."""
        due = self.next_timer()
        return self._finish(self._press) if due is not None and now >= due else None

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted, or None while no key is down."""
        press = self._press
        return None if press is None or press.reported else press.seen + self._patience

    def _belongs(self, press: _Press, event: int, timestamp: int) -> bool:
        """Whether a packet is one more of the newest press; its next segment begins where the full one ended."""
        if event != press.event:
            return False
        if timestamp == press.segment:
            return True
        if not press.ended and (timestamp - press.segment) % (1 << 32) in (_LONGEST, _LONGEST + 1):
            press.segment = timestamp
            return True
        return False

    def _is_late(self, press: _Press, timestamp: int) -> bool:
        """Whether a packet is an old one that was overtaken; far back is a sender that began anew."""
        return 0 < (press.segment - timestamp) % (1 << 32) <= self._late + (press.segment - press.began) % (1 << 32)

    def _finish(self, press: _Press | None) -> Digit | None:
        if press is None or press.reported:
            return None
        press.reported = True
        return Digit(KEYS[press.event], round(press.duration * 1000 / self._clock_hz))


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One packet of a press to send; one leaves each packet interval."""

    payload: bytes
    marker: bool
    """Set on the first packet only."""
    timestamp: int
    """In units from the press's beginning: packets of one segment share it."""


def press(
    digit: str, duration_ms: int = 160, ptime_ms: int = 20, clock_hz: int = 8000, volume: int = 10
) -> Iterator[EventPacket]:
    """The packets of a key held for `duration_ms`, the last three of them its end (RFC 4733 section 2.5.1.4).

    `volume` is the tone's power in -dBm0.

    Raises:
        UsageError: there is no such key.
    """
    if len(digit) != 1 or digit.upper() not in KEYS:
        raise UsageError(f"no key {digit!r}")
    event = KEYS.index(digit.upper())
    segment, marker = 0, True
    for elapsed_ms in range(ptime_ms, duration_ms, ptime_ms):
        elapsed = elapsed_ms * clock_hz // 1000
        if elapsed - segment > _LONGEST:
            yield EventPacket(_EVENT.pack(event, volume & _VOLUME, _LONGEST), marker, segment)
            segment += _LONGEST
        yield EventPacket(_EVENT.pack(event, volume & _VOLUME, elapsed - segment), marker, segment)
        marker = False
    last = min(duration_ms * clock_hz // 1000 - segment, _LONGEST)
    for _ in range(_END_PACKETS):
        yield EventPacket(_EVENT.pack(event, volume & _VOLUME | _END, last), marker, segment)
        marker = False
