"""So many a second: token buckets, and those of sources in memory that does not grow with their number."""

import math
from dataclasses import dataclass

from sipgw.sip.recent import Recent
from sipgw.sip.source import SourceKey

_NEARLY = 1e-6


@dataclass(slots=True)
class Bucket:
    """A token bucket: holds what one second brings, but at least one, and is full at first."""

    used: float = 0.0
    """Tokens that are missing."""
    when: float = 0.0

    def wait(self, rate: float, now: float) -> float:
        """Seconds until there is a token; 0 where there is one."""
        short = self._missing(rate, now) + 1.0 - max(rate, 1.0)
        return short / rate if short > _NEARLY else 0.0

    def take(self, rate: float, now: float) -> None:
        """Take one."""
        self.used, self.when = self._missing(rate, now) + 1.0, now

    def spend(self, rate: float, now: float) -> bool:
        """Take one, if there is one; whether there was."""
        if self.wait(rate, now):
            return False
        self.take(rate, now)
        return True

    def idle(self, now: float) -> bool:
        """Whether it says nothing any longer, at any rate from one a minute."""
        return now - self.when > 60.0 * self.used

    def _missing(self, rate: float, now: float) -> float:
        return max(self.used - (now - self.when) * rate, 0.0)


@dataclass(slots=True)
class Allowance(Bucket):
    """One source's."""

    blamed: float = -math.inf
    """When it was last an offence that it was empty."""

    def blame(self, now: float) -> bool:
        """It was empty: whether that is one more offence. It is one a second, however much comes."""
        if now - self.blamed < 1.0:
            return False
        self.blamed = now
        return True


class Buckets:
    """One for each source, so many at most: one more, and that which was made first is forgotten.

    Whoever sends from ever new addresses thus gets a full one each time; a bucket for all of them together is for that.

    Args:
        keep: how many.
    """

    def __init__(self, keep: int) -> None:
        self._buckets: Recent[SourceKey, Allowance] = Recent(keep)

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, source: SourceKey) -> Allowance:
        """This source's, made where it has none."""
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = Allowance()
            self._buckets.put(source, bucket)
        return bucket
