"""Whether the node is too busy for new calls, because its loop lags behind or its packets leave late.

A single pause is nothing, so that a measure must stay beyond its limit for a while before calls are refused, and below
half of it before they are taken again. Calls that run are never touched: with no new ones beside them they have more.
"""

from typing import NamedTuple

from sipgw.options import CallOptions

_LASTS = 2.0
"""Seconds a measure must stay where it is to count. Each tells of the second before it, so that it is three in all."""


class Load(NamedTuple):
    """How late things are, over the last second."""

    lag_ms: float
    """Of control's loop, at the worst."""
    late_ms: float
    """Of media ticks, on average."""


class Gate:
    """One measure: shut while it is too high."""

    def __init__(self) -> None:
        self.shut = False
        self._since: float | None = None
        """When it began to be where it would change the gate."""

    def measured(self, value: float, limit: float, now: float) -> bool:
        """Take a measure against its limit, 0 for none; whether the gate has changed."""
        beyond = limit > 0 and value > (limit / 2 if self.shut else limit)
        if beyond is self.shut:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if now - self._since < _LASTS:
            return False
        self.shut, self._since = beyond, None
        return True


class Pressure:
    """All measures of one node."""

    def __init__(self) -> None:
        self._lag, self._late = Gate(), Gate()

    @property
    def high(self) -> bool:
        """Whether new calls are to be refused."""
        return self._lag.shut or self._late.shut

    def measured(self, load: Load, options: CallOptions, now: float) -> list[tuple[str, str]]:
        """Take what was measured; the alarms that begin with it: name and detail."""
        gates = (
            (self._lag, load.lag_ms, options.max_lag_ms, "loop_lags", "the main loop is up to {:.0f} ms late"),
            (self._late, load.late_ms, options.max_late_ms, "media_late", "packets leave {:.0f} ms late on average"),
        )
        return [
            (name, f"{text.format(value)}; new calls are refused")
            for gate, value, limit, name, text in gates
            if gate.measured(value, limit, now) and gate.shut
        ]
