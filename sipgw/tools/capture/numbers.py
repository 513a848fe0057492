"""Counts what sequence numbers tell of a stream: lost, repeated, out of order (RFC 3550 appendix A.3)."""

_MODULUS = 1 << 16
_WINDOW = 1024
"""How far back a packet is still known as repeated or late."""
_MAX_DROPOUT = 3000
"""A larger step is a sender that began anew, not a loss: a minute of packets of 20 ms."""


class Numbers:
    """The sequence numbers of one SSRC."""

    __slots__ = ("_base", "_earlier", "_newest", "_seen", "bursts", "duplicates", "packets", "reordered", "restarts")

    def __init__(self) -> None:
        self.packets = 0
        self.duplicates = 0
        self.reordered = 0
        self.restarts = 0
        """How often the numbers began anew."""
        self.bursts = 0
        """How often packets were missing, one or more in a row."""
        self._base = self._newest = self._earlier = 0
        self._seen = 0
        """Bit n: the number that is n before the newest has come."""

    def receive(self, sequence: int) -> int:
        """Count a packet.

        Returns:
            How far it is ahead of the newest before: 1 for the next one, 0 for a repeated one or the first one,
            negative for a late one.
        """
        self.packets += 1
        if not self._seen:
            return self._begin(sequence)
        ahead = (sequence - self._newest + _MODULUS // 2) % _MODULUS - _MODULUS // 2
        if ahead > 0:
            return self._advance(ahead, sequence)
        if ahead <= -_WINDOW:
            self.restarts += 1
            return self._begin(sequence)
        return self._look_back(ahead)

    @property
    def lost(self) -> int:
        """Expected less received."""
        return self._expected - self.packets

    @property
    def missing(self) -> int:
        """Numbers that never came."""
        return max(self._expected - (self.packets - self.duplicates), 0)

    @property
    def _expected(self) -> int:
        return self._earlier + (self._newest - self._base + 1 if self._seen else 0)

    def _begin(self, sequence: int) -> int:
        self._earlier = self._expected
        self._base = self._newest = sequence
        self._seen = 1
        return 0

    def _advance(self, ahead: int, sequence: int) -> int:
        if ahead > _MAX_DROPOUT:
            self.restarts += 1
            return self._begin(sequence)
        self.bursts += ahead > 1
        self._newest += ahead
        self._seen = (self._seen << ahead | 1) & ((1 << _WINDOW) - 1)
        return ahead

    def _look_back(self, ahead: int) -> int:
        bit = 1 << -ahead
        if self._seen & bit:
            self.duplicates += 1
            return 0
        self._seen |= bit
        self.reordered += 1
        return ahead
