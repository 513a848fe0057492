"""Finds test data made by others, which is never part of this project."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SIPGW_SHARED", Path(__file__).parents[2] / "shared"))


def shared(path: str) -> Path:
    """The file or folder `path` of the shared data, or a skip with the reason printed.

    Under `SIPGW_REQUIRE_PEERS=1` a missing one fails instead.
    """
    found = ROOT / "data" / path
    if not found.exists():
        missing(f"shared test data is absent: {path}")
    return found


def missing(reason: str) -> None:
    """Skip the test with `reason`; fail it where peers are required."""
    if os.environ.get("SIPGW_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
