"""Which source address a session believes, decided in software (symmetric RTP, RFC 4961; latching, RFC 7362).

The socket is never connected: a stranger would get ICMP refusals, and a far end that moves would not be seen.
"""

from sipgw.flow import Endpoint

_WINDOW = 5.0
"""Seconds after a re-INVITE in which another source may take over from a talking one."""


class Latch:
    """The believed source of one stream.

    Args:
        relatch_after_ms: how long it must be silent before another may take its place.
    """

    __slots__ = ("_open_until", "_relatch_after", "heard", "source")

    def __init__(self, relatch_after_ms: int = 500) -> None:
        self._relatch_after = relatch_after_ms / 1000
        self._open_until = 0.0
        self.source: Endpoint | None = None
        """None until the first valid packet."""
        self.heard = 0.0
        """When its last packet came; whoever compares `source` without calling `accepts` keeps this."""

    def accepts(self, source: Endpoint, now: float) -> bool:
        """Whether to believe a valid packet of `source`, which becomes the latched one if so."""
        if source != self.source:
            if self.source is not None and not self._is_open(now):
                return False
            self.source = source
            self._open_until = 0.0
        self.heard = now
        return True

    def reopen(self, now: float) -> None:
        """Signalling changed the stream: the next other source is believed. The old one is, until then."""
        self._open_until = now + _WINDOW

    def _is_open(self, now: float) -> bool:
        return now < self._open_until or now - self.heard >= self._relatch_after
