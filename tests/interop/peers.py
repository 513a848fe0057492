"""Interpreters of the peers that are Python packages, each in an environment of its own (`.ci/peers` makes them)."""

from pathlib import Path

from tests.shared import missing

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "peers"


def python(name: str) -> Path:
    """The interpreter of `.peers/<name>`, or a skip with the reason (a failure under `SIPGW_REQUIRE_PEERS=1`)."""
    found = ROOT / ".peers" / name / "bin" / "python"
    if not (found.parents[1] / "installed.txt").exists():
        missing(f"the peer {name} is not installed: run .ci/peers {name}")
    return found
