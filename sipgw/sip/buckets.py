"""Messages a second of each source, in memory that does not grow with the number of sources."""

from sipgw.sip.recent import Recent
from sipgw.sip.source import SourceKey


class Bucket:
    """A token bucket that holds what one second brings, and is full at first."""

    __slots__ = ("_blamed", "_left", "_when")

    def __init__(self, rate: float, now: float) -> None:
        self._left, self._when = rate, now
        self._blamed = now - 1.0

    def take(self, rate: float, now: float) -> bool:
        """Take a token; whether there was one."""
        self._left = min(self._left + (now - self._when) * rate, rate)
        self._when = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def blame(self, now: float) -> bool:
        """It was empty: whether that is one more offence. It is one a second, however much comes."""
        if now - self._blamed < 1.0:
            return False
        self._blamed = now
        return True


class Buckets:
    """One for each source, so many at most: one more, and that which was made first is forgotten.

    Whoever sends from ever new addresses thus gets a full one each time; a bucket for all of them together is for that.

    Args:
        keep: how many.
    """

    def __init__(self, keep: int) -> None:
        self._buckets: Recent[SourceKey, Bucket] = Recent(keep)

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, source: SourceKey, rate: float, now: float) -> Bucket:
        """This source's, made where it has none."""
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = Bucket(rate, now)
            self._buckets.put(source, bucket)
        return bucket
