"""The AI's time line: one stream of samples, in order and at the sender's pace, of packets that come late or never.

A recogniser is no loudspeaker: audio in order leaves at once, and there is no standing delay. The RTP timestamp says
where each packet belongs. What is lost is concealed, what is silent is filled at real-time pace, because the voice
detectors behind it count samples; and audio whose time has already been filled is dropped, so that delay never grows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sipgw.rtp.stamps import MODULUS, step

_NEVER = float("inf")
_SLACK = 1.0
"""A timestamp further ahead than the time that has passed, and these seconds, is a jump and no gap."""
_FILL_MS = 20
"""Fill is written in pieces of this length."""
_LONGEST = 10.0
"""Seconds of silence to write at once, at most: after a stall of ours nobody has counted them."""
_MOST_HELD = 64
_MEASURED = 4
"""Of so many packets one is timed."""
_DRIFT_WINDOW = 10.0
_DRIFT_LIMIT = 0.002


@dataclass(frozen=True, slots=True)
class Conceal:
    """Lost audio, to be made up from what came before."""

    units: int
    """How much: in timestamp units, as everywhere here."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Silence."""

    units: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """A payload whose beginning, or all of it, is not wanted, because fill has taken its place."""

    payload: bytes
    units: int
    """How much of it is not."""


Piece = bytes | Conceal | Fill | Overlap


class Timeline:
    """The time line of one stream.

    Args:
        now: when it begins.
        clock_hz: timestamp units a second.
        reorder_wait_ms: how long a missing packet is waited for.
        fill_after_ms: how long nothing may come before fill is written.
        units: how long a payload lasts, in timestamp units; its bytes, as in G.711, unless said otherwise.
    """

    __slots__ = (
        "_clock_hz", "_expected", "_fill_after", "_fill_due", "_filled", "_heard", "_held", "_oldest", "_pace",
        "_reorder_wait", "_units", "_written", "due", "late", "overwritten",
    )  # fmt: skip

    def __init__(
        self,
        now: float,
        clock_hz: int = 8000,
        reorder_wait_ms: int = 40,
        fill_after_ms: int = 60,
        units: Callable[[bytes], int] = len,
    ) -> None:
        self._clock_hz, self._units = clock_hz, units
        self._reorder_wait = reorder_wait_ms / 1000
        self._fill_after = fill_after_ms / 1000
        self._expected = -1
        """Extended sequence number of the next packet, -1 where any will do."""
        self._written = -1
        """Timestamp up to which audio was written, -1 where it begins with the next packet's."""
        self._heard = now
        """When audio came last."""
        self._filled = 0
        """Units of fill written since then."""
        self._fill_due = now + self._fill_after
        self._held: dict[int, tuple[int, bytes | None, float]] = {}
        """Packets that wait for an earlier one: timestamp, payload, arrival, by extended sequence number."""
        self._oldest = _NEVER
        """When they are to wait no longer."""
        self._pace = _Pace(clock_hz, now)
        self.due = self._fill_due
        """When `handle_timers` is wanted next."""
        self.late = 0
        """Packets that came after their place had been written, or twice."""
        self.overwritten = 0
        """Units dropped because fill had taken their place."""

    # --- packets ------------------------------------------------------------------------------------------------

    def receive(self, extended: int, timestamp: int, payload: bytes | None, now: float) -> list[Piece]:
        """Take a packet; returns what can be written.

        Args:
            extended: its sequence number, without wraps.
            timestamp: 32 bits.
            payload: None for a packet that carries no sound (a key, comfort noise).
            now: when it came.
        """
        if extended != self._expected or self._held or payload is None or timestamp != self._written:
            return self._receive_odd(extended, timestamp, payload, now)
        self._expected = extended + 1
        self._written = (timestamp + self._units(payload)) % MODULUS
        self._heard = now
        self._filled = 0
        self._fill_due = self.due = now + self._fill_after
        if not extended % _MEASURED:
            self._pace.measure(timestamp, now)
        return [payload]

    def _receive_odd(self, extended: int, timestamp: int, payload: bytes | None, now: float) -> list[Piece]:
        """A packet that is not simply the next one."""
        if self._expected < 0:
            self._expected = extended
        if extended < self._expected or extended in self._held:
            self.late += 1
            return []
        self._held[extended] = (timestamp, payload, now)
        if payload is not None:
            self._fill_due = max(self._fill_due, now + self._fill_after)
        pieces = self._release(now)
        if len(self._held) > _MOST_HELD:
            pieces += self._give_up(now)
        return pieces

    def _release(self, now: float) -> list[Piece]:
        """Write the held packets that need not wait: those in order, and those behind fill, which has taken the place
        of whatever is missing before them."""
        pieces: list[Piece] = []
        while self._held:
            following = self._expected if self._expected in self._held else min(self._held)
            if following != self._expected and not self._is_overtaken(self._held[following][0]):
                break
            pieces += self._write(following, now)
        self._rearm()
        return pieces

    def _give_up(self, now: float) -> list[Piece]:
        """Wait no longer for what is missing before the first held packet."""
        pieces = self._write(min(self._held), now)
        return pieces + self._release(now)

    def _write(self, extended: int, now: float) -> list[Piece]:
        """Write one held packet; what is missing before it is lost."""
        timestamp, payload, _ = self._held.pop(extended)
        lost = extended != self._expected
        self._expected = extended + 1
        return [] if payload is None else self._place(timestamp, payload, lost, now)

    def _place(self, timestamp: int, payload: bytes, lost: bool, now: float) -> list[Piece]:
        """Write audio where its timestamp says: behind a gap, or less what fill has replaced of it."""
        gap, units = step(self._written, timestamp), self._units(payload)
        if self._written < 0 or not self._is_plausible(gap, now):
            gap = self._unexplained(units, now)
            self._pace.restart(now)
        pieces: list[Piece] = []
        if gap > 0:
            pieces.append(Conceal(gap) if lost and not self._filled else Fill(gap))
        over = min(max(-gap, 0), units)
        self.overwritten += over
        pieces.append(Overlap(payload, over) if over else payload)
        if over < units:
            self._filled = 0
            self._written = (timestamp + units) % MODULUS
        self._heard = now
        self._fill_due = now + self._fill_after
        return pieces

    def _is_plausible(self, gap: int, now: float) -> bool:
        """Whether a step of the timestamp can be silence or loss ahead, or audio behind the fill."""
        furthest = min(now - self._heard + _SLACK, _LONGEST) * self._clock_hz
        return -self._filled <= gap <= furthest

    def _is_overtaken(self, timestamp: int) -> bool:
        return self._written >= 0 and -self._filled <= step(self._written, timestamp) <= 0 < self._filled

    def _unexplained(self, units: int, now: float) -> int:
        """What is missing by our own clock, where timestamps begin anew.

        It is a guess, so in whole packets: frames for the AI that began with one do not wait for half the next.
        """
        passed = int(min(now - self._heard, _LONGEST) * self._clock_hz)
        return max(round((passed - self._filled) / units - 1) * units, 0) if units else 0

    def restart(self, now: float) -> list[Piece]:
        """The sender begins anew (another SSRC, other sequence numbers): the next packet continues the line."""
        pieces: list[Piece] = []
        while self._held:
            pieces += self._give_up(now)
        self._expected = self._written = -1
        return pieces

    # --- time ---------------------------------------------------------------------------------------------------

    def handle_timers(self, now: float) -> list[Piece]:
        """Conceal what was waited for long enough; write fill where nothing comes."""
        pieces: list[Piece] = []
        while self._held and now >= min(self._oldest, self._fill_due):
            pieces += self._give_up(now)
        if now >= self._fill_due:
            pieces.append(self._fill(now))
        self._rearm()
        return pieces

    def _fill(self, now: float) -> Fill:
        """Silence for the time that has passed, at the sender's pace."""
        interval = _FILL_MS / 1000 / (1 + self._pace.drift)
        count = int((now - self._fill_due) / interval) + 1
        self._fill_due += count * interval
        units = int(min(count * _FILL_MS / 1000, _LONGEST) * self._clock_hz)
        self._filled += units
        if self._written >= 0:
            self._written = (self._written + units) % MODULUS
        return Fill(units)

    def _rearm(self) -> None:
        self._oldest = min((arrival for _, _, arrival in self._held.values()), default=_NEVER) + self._reorder_wait
        self.due = min(self._fill_due, self._oldest)


class _Pace:
    """How fast the sender's clock runs by ours, from the fastest packet of each ten seconds."""

    __slots__ = ("_best", "_clock_hz", "_end", "_previous", "_start", "drift")

    def __init__(self, clock_hz: int, now: float) -> None:
        self._clock_hz = clock_hz
        self.drift = 0.0
        """0.0001 is a tenth of a millisecond gained each second."""
        self.restart(now)

    def restart(self, now: float) -> None:
        """Timestamps begin anew; what was learnt of the clock stays."""
        self._start = -1
        self._best = self._previous = (_NEVER, now)
        self._end = now + _DRIFT_WINDOW

    def measure(self, timestamp: int, now: float) -> None:
        """Take one packet's transit time."""
        if self._start < 0:
            self._start = timestamp
        transit = now - (timestamp - self._start) % MODULUS / self._clock_hz
        if transit < self._best[0]:
            self._best = (transit, now)
        if now >= self._end:
            self._close(now)

    def _close(self, now: float) -> None:
        (before, when), (transit, now_best) = self._previous, self._best
        if before != _NEVER and now_best > when:
            seen = (before - transit) / (now_best - when)
            self.drift += (max(-_DRIFT_LIMIT, min(seen, _DRIFT_LIMIT)) - self.drift) / 2
        self._previous, self._best, self._end = self._best, (_NEVER, now), now + _DRIFT_WINDOW
