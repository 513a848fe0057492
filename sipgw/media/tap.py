"""Keeps what passes between a session and its far end, both ways, until the writer of a recording takes it.

The engine only appends; the writer is another thread and takes at its own pace. Both ends of a deque may be used from
two threads at once, so neither waits for the other.
"""

from collections import deque

Passed = tuple[float, int, bytes, str]
"""When a packet came or left, its RTP timestamp, its payload, its codec's name.

Plain values in a plain tuple: the garbage collector does not look at it again.
"""

LONGEST = 5.0
"""Seconds kept for a writer that is slow; what passes beyond that is lost to the recording."""
_MOST = round(LONGEST * 2 * 50)
"""The same in packets of 20 ms, both ways together."""


def _ignore(passed: Passed) -> None:
    """Not recorded."""


class Tap:
    """One session's.

    Args:
        now: when it begins.
    """

    __slots__ = ("_agent", "_caller", "_full_since", "_pauses", "began", "ended", "heard", "lost", "sent")

    def __init__(self, now: float) -> None:
        self._caller: deque[Passed] = deque()
        self._agent: deque[Passed] = deque()
        self._pauses: list[tuple[float, float | None]] = []
        self._full_since: float | None = None
        self.heard = self._caller.append
        """Takes a packet of the far end."""
        self.sent = self._agent.append
        """Takes a packet of ours."""
        self.began = now
        self.ended: float | None = None
        self.lost = 0.0
        """Seconds not kept because the writer was too slow."""

    # --- the session's side -------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Nothing is kept on purpose."""
        return bool(self._pauses) and self._pauses[-1][1] is None

    def pause(self, now: float) -> bool:
        """Keep nothing from now on; returns whether that is a change."""
        if self.paused or self.ended is not None:
            return False
        self._pauses.append((now, None))
        self._choose()
        return True

    def resume(self, now: float) -> bool:
        """Keep what passes again; returns whether that is a change."""
        if not self.paused:
            return False
        self._pauses[-1] = self._pauses[-1][0], now
        self._choose()
        return True

    def watch(self, now: float) -> bool:
        """Keep nothing more while the writer is too far behind; returns whether that has just begun."""
        kept = len(self._caller) + len(self._agent)
        if self._full_since is None and kept > _MOST:
            self._full_since = now
            self._choose()
            return True
        if self._full_since is not None and kept < _MOST // 2:
            self._count_lost(now)
        return False

    def end(self, now: float) -> None:
        """Nothing more comes."""
        self.resume(now)
        self._count_lost(now)
        self.ended = now
        self._choose()

    def _count_lost(self, now: float) -> None:
        if self._full_since is not None:
            self.lost += now - self._full_since
            self._full_since = None
            self._choose()

    def _choose(self) -> None:
        if self.paused or self._full_since is not None or self.ended is not None:
            self.heard = self.sent = _ignore
        else:
            self.heard, self.sent = self._caller.append, self._agent.append

    # --- the writer's side --------------------------------------------------------------------------------------

    def take(self) -> tuple[list[Passed], list[Passed]]:
        """Take what the far end and we have sent since the last time."""
        return _emptied(self._caller), _emptied(self._agent)

    def pauses(self) -> tuple[tuple[float, float], ...]:
        """What was left out on purpose, once it has ended: from and to, in seconds of the recording."""
        return tuple(
            (round(start - self.began, 3), round(end - self.began, 3)) for start, end in self._pauses if end is not None
        )


def _emptied(kept: deque[Passed]) -> list[Passed]:
    return [kept.popleft() for _ in range(len(kept))]
