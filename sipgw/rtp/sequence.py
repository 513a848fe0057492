"""Sequence numbers that never wrap, and whether to believe them (RFC 3550 appendix A.1)."""

from enum import Enum

_MODULUS = 1 << 16
_MAX_DROPOUT = 3000
"""A larger step ahead is a restart of the sender, not a loss: one minute of 20 ms packets."""
_MAX_DISORDER = 100
"""How far back a packet may come and still be a late one."""


class Seen(Enum):
    """What a sequence number says of its packet."""

    VALID = "valid"
    """The next one, or one further ahead."""
    LATE = "late"
    """Before the newest: out of order or repeated."""
    PROBATION = "probation"
    """The source has not yet sent enough packets in order to be believed."""
    JUMP = "jump"
    """Far off. If the next packet follows on it, the sender has restarted."""
    RESTARTED = "restarted"
    """The second packet after a jump: numbers begin anew here."""


_VALID = Seen.VALID
"""What nearly every packet is; looking it up in its class takes as long as all the rest (Python 3.11)."""


class Sequence:
    """The sequence numbers of one source.

    `receive` gives each packet an extended number; within one run (see `runs`) it orders packets across wraps.

    Args:
        probation: how many packets in order it takes to believe a new source; 1 believes at once.
    """

    __slots__ = ("_base", "_earlier", "_jumped_to", "_missing", "_probation", "gaps", "newest", "runs", "settled")

    def __init__(self, probation: int = 2) -> None:
        self._probation = probation
        self._missing = probation
        self._jumped_to = -1
        self._base = 0
        self._earlier = 0
        self.newest = -1
        """Highest extended number of this run, -1 before the first; its low 16 bits are the packet's own."""
        self.settled = False
        """Nothing is in doubt: of the next packet in order all there is to do is to count `newest` up."""
        self.gaps = 0
        """How often numbers were passed over, one or more in a row; late packets may have filled some since."""
        self.runs = 0
        """How often numbers have begun: once for the source, once more for each restart of it."""

    def receive(self, sequence: int) -> tuple[Seen, int]:
        """What the 16-bit `sequence` of a packet says, and its extended number."""
        if self._missing:
            return self._prove(sequence)
        ahead = (sequence - self.newest) % _MODULUS
        if 0 < ahead < _MAX_DROPOUT:
            self.newest += ahead
            self._jumped_to = -1
            self.settled = True
            if ahead > 1:
                self.gaps += 1
            return _VALID, self.newest
        if ahead == 0 or ahead >= _MODULUS - _MAX_DISORDER:
            return Seen.LATE, self.newest - (-ahead % _MODULUS)
        return self._jump(sequence)

    @property
    def expected(self) -> int:
        """How many packets there should have been by now, over all runs (RFC 3550 appendix A.3)."""
        return self._earlier + (self.newest - self._base + 1 if self.runs else 0)

    def _prove(self, sequence: int) -> tuple[Seen, int]:
        """Count packets in order until the source is believed."""
        follows = self._jumped_to == sequence
        self._missing = (self._missing if follows else self._probation) - 1
        self._jumped_to = (sequence + 1) % _MODULUS
        if self._missing:
            return Seen.PROBATION, sequence
        self._begin(sequence)
        return Seen.VALID, self.newest

    def _jump(self, sequence: int) -> tuple[Seen, int]:
        """Two packets in a row from elsewhere are a sender that restarted without a word (RFC 3550 appendix A.1)."""
        if sequence == self._jumped_to:
            self._begin(sequence)
            return Seen.RESTARTED, self.newest
        self._jumped_to = (sequence + 1) % _MODULUS
        self.settled = False
        return Seen.JUMP, sequence

    def _begin(self, sequence: int) -> None:
        self._earlier = self.expected
        # One cycle up, so that a late packet from before the first never gets a negative number.
        self._base = self.newest = sequence + _MODULUS
        self._jumped_to = -1
        self.settled = True
        self.runs += 1
