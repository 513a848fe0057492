"""What processes have used, from /proc: CPU and memory, of one and of all its descendants."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one or more processes."""

    cpu: float = 0.0
    """Seconds of CPU so far, user and system."""
    rss_mb: float = 0.0
    """Memory, what is shared divided among its sharers (PSS)."""
    wakeups: int = 0
    """How often it has waited for something and been woken."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu + other.cpu, self.rss_mb + other.rss_mb, self.wakeups + other.wakeups)


def usage(pid: int) -> Usage:
    """Of one process, with all its threads."""
    threads = (_PROC / str(pid) / "task").iterdir()
    return Usage(
        _cpu(pid),
        _field(_PROC / str(pid) / "smaps_rollup", "Pss:") / 1024,
        sum(_field(thread / "status", "voluntary_ctxt_switches:") for thread in threads),
    )


def descendants(pid: int) -> list[int]:
    """All processes below one, nearest first."""
    found: list[int] = []
    for thread in (_PROC / str(pid) / "task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found + [below for child in found for below in descendants(child)]


def machine_cpu() -> tuple[float, float]:
    """Seconds of CPU that everything on this machine has used, and those the hypervisor took away (stolen)."""
    user, nice, system, _, _, interrupt, soft, steal = map(
        int, (_PROC / "stat").read_text().splitlines()[0].split()[1:9]
    )
    return (user + nice + system + interrupt + soft) * _TICK, steal * _TICK


def _cpu(pid: int) -> float:
    # The name in the second field may hold spaces and brackets.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
