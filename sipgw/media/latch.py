"""Which source address a session believes, decided in software (symmetric RTP, RFC 4961; latching, RFC 7362).

Where the far end says that it is goes first: what comes from there is believed at once. Anybody else, a phone behind a
NAT or a stranger, has to show two packets in a row of one stream (RFC 3550 appendix A.1), and is only looked at while
nobody is believed, in the seconds after a re-INVITE, or when who is believed has fallen silent. Then a stream that goes
on from another address, as a NAT makes it, needs no proof.

The socket is never connected: a stranger would get ICMP refusals, and a far end that moves would not be seen.
"""

from dataclasses import dataclass

from sipgw.flow import Endpoint

_WINDOW = 5.0
"""Seconds after a re-INVITE in which another source may take over from a talking one."""
_IN_FLIGHT = 0.5
"""Seconds after the far end moved in which packets may come from where it was."""
_MOST_CANDIDATES = 8
"""Sources that are being proved at a time; who sprays packets at a port does not cost more."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a packet shows of the stream it belongs to."""

    ssrc: int
    sequence: int

    @property
    def next(self) -> "Sent":
        """What the packet behind it shows."""
        return Sent(self.ssrc, (self.sequence + 1) & 0xFFFF)


class Latch:
    """The believed source of one stream.

    Args:
        expected: where the far end says that it is.
        relatch_after_ms: how long the believed source must be silent before another may take its place.
    """

    __slots__ = ("_candidates", "_expected", "_former", "_moved", "_open_until", "_relatch_after", "heard", "source")

    def __init__(self, expected: Endpoint, relatch_after_ms: int = 500) -> None:
        self._relatch_after = relatch_after_ms / 1000
        self._expected: Endpoint | None = expected
        """None once something came from there."""
        self._open_until = 0.0
        self._former: Endpoint | None = None
        """Who was believed before the far end moved."""
        self._moved = 0.0
        self._candidates: dict[Endpoint, Sent] = {}
        """What each must send next to be believed."""
        self.source: Endpoint | None = None
        """None until one is believed, and again when the far end moved."""
        self.heard: float | None = None
        """When its last packet came; whoever compares `source` without calling `accepts` keeps this."""

    def accepts(self, source: Endpoint, sent: Sent, now: float, *, goes_on: bool = False) -> bool:
        """Whether to believe a valid packet of `source`, which is the latched one from then on.

        Args:
            source: where it came from.
            sent: which packet it is.
            now: the time.
            goes_on: it continues the stream that is believed.
        """
        if source != self.source:
            if source == self._former and now < self._moved + _IN_FLIGHT:
                return True
            if not self._takes_over(source, sent, goes_on, now):
                return False
            self.believe(source, now)
        self.heard = now
        return True

    def believe(self, source: Endpoint, now: float) -> None:
        """This is it; nobody else until it falls silent or signalling changes the stream."""
        self.source, self.heard = source, now
        if source == self._expected:
            self._expected = None
        self._former, self._open_until = None, 0.0
        self._candidates.clear()

    def settle(self, source: Endpoint) -> None:
        """This one was believed, by who had the stream before us."""
        self.source, self.heard, self._expected = source, 0.0, None

    def reopen(self, now: float) -> None:
        """Signalling changed the stream: the next other source is believed. The old one is, until then."""
        self._open_until = now + _WINDOW

    def move(self, expected: Endpoint, now: float) -> None:
        """Signalling says that the far end is elsewhere now. What still comes from where it was is heard a moment."""
        self._former, self._moved = self.source or self._former, now
        self.source, self._expected = None, expected
        self._candidates.clear()

    def _takes_over(self, source: Endpoint, sent: Sent, goes_on: bool, now: float) -> bool:
        if source == self._expected:
            return True
        if not self._is_open(now):
            return False
        return (goes_on and self.source is not None) or self._proves_itself(source, sent)

    def _proves_itself(self, source: Endpoint, sent: Sent) -> bool:
        if self._candidates.pop(source, None) == sent:
            return True
        if len(self._candidates) == _MOST_CANDIDATES:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[source] = sent.next
        return False

    def _is_open(self, now: float) -> bool:
        if self.source is None or self.heard is None:
            return True
        return now < self._open_until or now - self.heard >= self._relatch_after
