"""Watches whether the far end of a stream is still there: neither RTP nor RTCP for too long is told once."""

from sipgw.media.latch import Latch
from sipgw.options import MediaOptions

_NEVER = float("inf")


class Vigil:
    """The silence of one far end.

    Args:
        latch: knows when RTP came last, and whether it ever did.
    """

    __slots__ = ("_begun", "_latch", "_options", "_sign", "_told")

    def __init__(self, latch: Latch, options: MediaOptions) -> None:
        self._latch, self._options = latch, options
        self._begun = False
        self._sign = 0.0
        """Newest sign of life besides RTP."""
        self._told = -_NEVER
        """Last sign of life before the silence that was told of."""

    def begin(self, now: float) -> None:
        """RTP is expected from now on."""
        self._begun, self._sign = True, now

    def sign(self, now: float) -> None:
        """The far end is there (RTCP), or its silence counts from here (after hold)."""
        self._sign = now

    def next_timer(self) -> float:
        """When it counts as gone unless something comes before that."""
        last = self._last()
        if not self._begun or last == self._told:
            return _NEVER
        never = self._latch.heard is None
        return last + (self._options.first_packet_timeout if never else self._options.inactivity_timeout)

    def handle_timers(self, now: float) -> float | None:
        """How long it has been silent, where that is too long and not told of yet."""
        if now < self.next_timer():
            return None
        self._told = self._last()
        return now - self._told

    def _last(self) -> float:
        return max(self._sign, self._latch.heard or 0.0)
