"""The worker's heartbeat: every 5 ms, on absolute deadlines, by a timerfd where there is one.

A late tick is served once: what was missed is told, never replayed.
"""

import asyncio
import ctypes
import os
import sys
from bisect import bisect_left
from collections.abc import Callable
from ctypes import POINTER, byref, c_int, c_long

INTERVAL = 0.005
LATENESS_MS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Bounds for media ticks."""

Serve = Callable[[int, float, int], None]
"""Takes the sub-tick's number, the time, and how many before it were missed."""

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1


class Lateness:
    """How late ticks were served.

    Args:
        bounds_ms: upper bounds of the buckets; one more takes the rest.
    """

    __slots__ = ("bounds_ms", "buckets", "missed", "sum_ms", "ticks")

    def __init__(
        self,
        buckets: list[int] | None = None,
        ticks: int = 0,
        missed: int = 0,
        sum_ms: float = 0.0,
        bounds_ms: tuple[float, ...] = LATENESS_MS,
    ) -> None:
        self.bounds_ms = bounds_ms
        self.buckets = buckets or [0] * (len(bounds_ms) + 1)
        self.ticks, self.missed, self.sum_ms = ticks, missed, sum_ms

    def add(self, late_ms: float, missed: int) -> None:
        """Count one tick."""
        self.buckets[bisect_left(self.bounds_ms, late_ms)] += 1
        self.ticks += 1
        self.missed += missed
        self.sum_ms += late_ms


class Ticker:
    """Calls `serve` every 5 ms of the loop's clock until `stop`.

    Args:
        serve: must not raise.
        loop: its clock is `time.monotonic`'s, as asyncio's and uvloop's are.
        clock: the time, finer than the loop's own.
    """

    def __init__(self, serve: Serve, loop: asyncio.AbstractEventLoop, clock: Callable[[], float]) -> None:
        self._serve, self._loop, self._clock = serve, loop, clock
        self._first = clock() + INTERVAL
        self._number = -1
        self._handle: asyncio.TimerHandle | None = None
        self._descriptor = -1
        self.lateness = Lateness()

    @property
    def running(self) -> bool:
        """Between `start` and `stop`."""
        return self._descriptor >= 0 or self._handle is not None

    def start(self) -> None:
        """Begin to tick, with number 0."""
        self._first, self._number = self._clock() + INTERVAL, -1
        self._descriptor = _timerfd(self._first)
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._expired)
        else:
            self._arm()

    def stop(self) -> None:
        """Tick no longer; nothing happens if it does not."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _expired(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # another turn of the loop has read it
            return
        self._tick()

    def _arm(self) -> None:
        self._handle = self._loop.call_at(self._first + (self._number + 1) * INTERVAL, self._called)

    def _called(self) -> None:
        self._tick()
        if self._handle is not None:  # `serve` did not stop us
            self._arm()

    def _tick(self) -> None:
        """Serve the newest sub-tick that is due, once."""
        now = self._clock()
        due = int((now - self._first) / INTERVAL + 1e-6)
        if due <= self._number:  # a timer of 1 ms resolution may fire early
            return
        missed = due - self._number - 1
        self.lateness.add((now - self._first - (self._number + 1) * INTERVAL) * 1000, missed)
        self._number = due
        self._serve(due, now, missed)


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", c_long), ("nanoseconds", c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


def _timerfd(first: float) -> int:
    """A descriptor that becomes readable at `first` and each interval after, or -1 where there is no such thing."""
    if sys.platform != "linux":
        return -1
    if sys.version_info >= (3, 13):
        descriptor = os.timerfd_create(_CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
        os.timerfd_settime(descriptor, flags=os.TFD_TIMER_ABSTIME, initial=first, interval=INTERVAL)
        return descriptor
    return _timerfd_by_libc(first)


def _timerfd_by_libc(first: float) -> int:
    """`os.timerfd_create` came with Python 3.13 only."""
    libc = ctypes.CDLL(None, use_errno=True)
    settime = libc.timerfd_settime
    settime.argtypes = (c_int, c_int, POINTER(_TimerSpec), POINTER(_TimerSpec))
    descriptor: int = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    seconds, fraction = divmod(first, 1)
    spec = _TimerSpec(_TimeSpec(0, int(INTERVAL * 1e9)), _TimeSpec(int(seconds), int(fraction * 1e9)))
    if descriptor < 0 or settime(descriptor, _ABSOLUTE, byref(spec), None) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return descriptor
