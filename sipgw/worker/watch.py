"""Judges whether a worker is stuck: no sign of life for a while in which there was a CPU to be had.

A machine with too much to do makes everything slow; killing what is only waiting for its turn would make it worse.
"""

from dataclasses import dataclass
from pathlib import Path

LIMIT = 2.0
"""Seconds without a sign of life, those of waiting for a CPU not counted."""
INTERVAL = 0.25
"""Seconds between looks."""
_HARDLY = 0.001


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel says of a process's main thread."""

    ran: float
    """Seconds on a CPU."""
    waited: float
    """Seconds it could have run and there was no CPU; those of a wait that still lasts are not in it."""
    runnable: bool


def usage_of(pid: int) -> Usage:
    """As it is now. Raises OSError where there is no such process."""
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return Usage(int(ran) / 1e9, int(waited) / 1e9, state == "R")


class Watch:
    """One worker's watch. `look` wants to be called every `INTERVAL`."""

    def __init__(self) -> None:
        self._beaten = 0.0
        self._looked = 0.0
        self._usage = Usage(0.0, 0.0, runnable=False)
        self._idle = 0.0

    def look(self, now: float, beaten: float, usage: Usage) -> bool:
        """Whether it is stuck.

        Args:
            beaten: when its last sign of life was; any time before the first.
        """
        # A longer step means that we were the ones who did not run.
        step = min(now - self._looked, 2 * INTERVAL)
        before, self._usage, self._looked = self._usage, usage, now
        if beaten != self._beaten:
            self._beaten, self._idle = beaten, 0.0
            return False
        waited = usage.waited - before.waited
        if usage.runnable and usage.ran - before.ran < _HARDLY:
            waited = step
        self._idle += max(step - waited, 0.0)
        return self._idle >= LIMIT
