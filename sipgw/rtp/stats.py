"""What a receiver counts of one source, for its reports and for the call's record (RFC 3550 appendices A.3 and A.8)."""

from sipgw.rtp.rtcp import ReportBlock
from sipgw.rtp.sequence import Seen, Sequence

_VALID, _LATE, _RESTARTED = Seen.VALID, Seen.LATE, Seen.RESTARTED
"""What every packet is compared with: looking a member up in its class takes longer (Python 3.11)."""
_MODULUS = 1 << 16
_LOST_LIMIT = 0x7FFFFF
"""The cumulative number of packets lost has 24 bits with a sign (RFC 3550 section 6.4.1)."""


class ReceiveStats:
    """Counts packets, losses and jitter of one source.

    Args:
        clock_hz: timestamp units a second of its payload.
        probation: see `Sequence`.
    """

    __slots__ = (
        "_clock_hz", "_jitter", "_last_expected", "_last_received", "_last_timestamp", "_last_transit", "_sequence",
        "late", "received",
    )  # fmt: skip

    def __init__(self, clock_hz: int, probation: int = 1) -> None:
        self._clock_hz = clock_hz
        self._sequence = Sequence(probation)
        self._last_received = self._last_expected = 0
        self._jitter = self._last_transit = 0.0
        self._last_timestamp: int | None = None
        self.received = 0
        """Believed packets, late and repeated ones included."""
        self.late = 0
        """Those that came after a later one, or twice."""

    def receive(self, sequence: int, timestamp: int, now: float) -> tuple[Seen, int]:
        """Count a packet; returns what its sequence number says and its extended number."""
        numbers, last = self._sequence, self._last_timestamp
        if numbers.settled and (sequence - numbers.newest) % _MODULUS == 1 and timestamp != last:
            # Nearly every packet there is: what follows here, without the calls.
            extended = numbers.newest = numbers.newest + 1
            self.received += 1
            transit = now * self._clock_hz - timestamp
            step = (transit - self._last_transit + 0x80000000) % 0x100000000 - 0x80000000
            self._jitter += (abs(step) - self._jitter) / 16
            self._last_timestamp, self._last_transit = timestamp, transit
            return _VALID, extended
        seen, extended = numbers.receive(sequence)
        if seen is _VALID:
            self.received += 1
            self._time(timestamp, now)
        elif seen is _LATE or seen is _RESTARTED:
            if seen is _RESTARTED:
                self._last_timestamp = None  # its timestamps begin anew as well
            self.received += 1
            self.late += seen is _LATE
            self._time(timestamp, now)
        return seen, extended

    @property
    def expected(self) -> int:
        """Packets there should have been, over all restarts of the sender."""
        return self._sequence.expected

    @property
    def lost(self) -> int:
        """Expected less received; below zero where packets came twice."""
        return self.expected - self.received

    @property
    def gaps(self) -> int:
        """How often packets were missing when the next one came, one or more in a row."""
        return self._sequence.gaps

    @property
    def jitter_ms(self) -> float:
        """Smoothed variation of the transit time."""
        return self._jitter * 1000 / self._clock_hz

    def report(self, ssrc: int, last_report: int = 0, delay: float = 0.0) -> ReportBlock:
        """The report block about this source; the next one counts its fraction from here.

        Args:
            ssrc: of the source.
            last_report: middle 32 bits of the NTP time in its last sender report, 0 without one.
            delay: seconds since that report came.
        """
        expected = self.expected - self._last_expected
        lost = expected - (self.received - self._last_received)
        self._last_expected, self._last_received = self.expected, self.received
        fraction = (lost << 8) // expected if expected > 0 and lost > 0 else 0
        return ReportBlock(
            ssrc,
            min(fraction, 255),
            max(-_LOST_LIMIT - 1, min(self.lost, _LOST_LIMIT)),
            max(self._sequence.newest - (1 << 16), 0) & 0xFFFFFFFF,
            int(self._jitter) & 0xFFFFFFFF,
            last_report,
            int(delay * 65_536) & 0xFFFFFFFF if last_report else 0,
        )

    def _time(self, timestamp: int, now: float) -> None:
        """Jitter by appendix A.8; packets that share a timestamp (RFC 4733) say nothing about it."""
        if timestamp == self._last_timestamp:
            return
        transit = now * self._clock_hz - timestamp
        if self._last_timestamp is not None:
            step = (transit - self._last_transit + 0x80000000) % 0x100000000 - 0x80000000
            self._jitter += (abs(step) - self._jitter) / 16
        self._last_timestamp, self._last_transit = timestamp, transit
