"""INVITEs that wait: for our final response, or for the ACK to it. Each costs memory and timers for half a minute."""

from collections import Counter

from sipgw.sip.source import SourceKey
from sipgw.sip.transaction import Key


class HalfOpen:
    """Counts them, of all sources and of each."""

    def __init__(self) -> None:
        self._source_of: dict[Key, SourceKey] = {}
        self._count: Counter[SourceKey] = Counter()

    def __len__(self) -> int:
        return len(self._source_of)

    def of(self, source: SourceKey) -> int:
        """How many one source has."""
        return self._count.get(source, 0)

    def add(self, key: Key, source: SourceKey) -> None:
        """An INVITE came; `key` is its transaction's."""
        self._source_of[key] = source
        self._count[source] += 1

    def settle(self, key: Key) -> None:
        """Its ACK came, or its transaction is over; nothing where that was known."""
        source = self._source_of.pop(key, None)
        if source is None:
            return
        self._count[source] -= 1
        if not self._count[source]:
            del self._count[source]
