"""Which new call is one too many: calls at a time and calls a second, of all, of one source and of one route.

A call counts from its admission to its end. Nothing is taken from any limit for a call that another one refuses, so
that whoever calls too often spoils it for nobody else.
"""

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from sipgw.errors import Cause
from sipgw.options import CallOptions, RouteOptions
from sipgw.sip.buckets import Bucket

_KEPT = 1024
"""Meters of sources and routes that are looked through for idle ones when there are more, and more again."""


@dataclass(slots=True)
class Meter:
    """What is used of one limit."""

    calls: int = 0
    bucket: Bucket = field(default_factory=Bucket)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is allowed, and how a call beyond it is refused. 0 is no limit."""

    key: Hashable
    name: str
    """Of whose calls it counts."""
    most: int
    rate: float
    full: Cause
    fast: Cause


@dataclass(frozen=True, slots=True)
class Excess:
    """Why a call is one too many."""

    cause: Cause
    detail: str
    retry_after: int | None = None
    """Seconds after which it may be tried again, where that is known."""


class Limits:
    """All limits of a node, and who uses them.

    Args:
        options: how much is allowed.
    """

    def __init__(self, options: CallOptions) -> None:
        self.options = options
        """May be replaced at any time; what is used stays known."""
        self._meters: dict[Hashable, Meter] = {}
        self._of_call: dict[str, list[Meter]] = {}
        self._crowded = _KEPT

    def excess(self, source: str, now: float) -> Excess | None:
        """Why every call from this source is refused now, whatever it is; None where one may pass."""
        return self._first_excess(self._for_all(source), now)

    def admit(self, call: str, source: str, route: RouteOptions, now: float) -> Excess | None:
        """Count a call in, unless it is one too many."""
        limits = [*self._for_all(source), _of_route(route)]
        excess = self._first_excess(limits, now)
        if excess is not None:
            return excess
        for limit, meter in zip(limits, self._count(call, limits), strict=True):
            if limit.rate:
                meter.bucket.take(limit.rate, now)
        if len(self._meters) > self._crowded:
            self._sweep(now)
        return None

    def go_on(self, call: str, source: str, route: RouteOptions) -> None:
        """Count a call in that was admitted before we were there."""
        self._count(call, [*self._for_all(source), _of_route(route)])

    def release(self, call: str) -> None:
        """A call is over; nothing where it was not counted in."""
        for meter in self._of_call.pop(call, ()):
            meter.calls -= 1

    def _count(self, call: str, limits: Iterable[Limit]) -> list[Meter]:
        meters = self._of_call[call] = [self._meters.setdefault(limit.key, Meter()) for limit in limits]
        for meter in meters:
            meter.calls += 1
        return meters

    def _for_all(self, source: str) -> Iterator[Limit]:
        options = self.options
        yield Limit("all", "all", 0, options.calls_per_second, Cause.OVERLOAD, Cause.RATE_LIMITED)
        most, rate = options.source_max_calls, options.source_calls_per_second
        yield Limit(("source", source), source, most, rate, Cause.SOURCE_FULL, Cause.RATE_LIMITED)

    def _first_excess(self, limits: Iterable[Limit], now: float) -> Excess | None:
        for limit in limits:
            meter = self._meters.get(limit.key)
            if meter is None:
                continue
            if limit.most and meter.calls >= limit.most:
                return Excess(limit.full, f"{limit.most} calls of {limit.name}")
            if limit.rate and (wait := meter.bucket.wait(limit.rate, now)):
                return Excess(limit.fast, f"{limit.rate:g} calls a second of {limit.name}", math.ceil(wait))
        return None

    def _sweep(self, now: float) -> None:
        """Forget whoever has no call and has not called lately."""
        idle = [key for key, meter in self._meters.items() if not meter.calls and meter.bucket.idle(now)]
        for key in idle:
            del self._meters[key]
        self._crowded = max(_KEPT, 2 * len(self._meters))


def _of_route(route: RouteOptions) -> Limit:
    """Busy, not unavailable: a 503 would make a carrier keep the calls of all other routes away as well."""
    key = "route", route.number, route.anyone, route.sources, route.trunks
    busy = Cause.ROUTE_FULL
    return Limit(key, f"route {route.number}", route.max_calls, route.calls_per_second, busy, busy)
