"""What a series was measured on and with: figures without that say nothing."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def about(arguments: Sequence[str]) -> dict[str, Any]:
    """Machine, versions, commit and command."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["sipgw", *arguments]),
        "sipgw": version("sipgw"),
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "uvloop": version("uvloop"),
        "picows": version("picows"),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """Of the checkout this runs from; empty away from one."""
    here = Path(sys.modules["sipgw"].__file__ or "").parent
    command = ("git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
