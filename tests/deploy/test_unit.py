"""The systemd unit: systemd takes it, and it gives a drain the time the configuration gives it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sipgw.app.room import descriptors_for, wanted_calls
from sipgw.settings import embedded, load
from tests.shared import missing

UNIT = Path(__file__).parents[2] / "config" / "deploy" / "sipgw.service"


def value(key: str) -> str:
    """What the unit sets `key` to."""
    (found,) = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]
    return found


def test_stopping_outlasts_the_longest_drain_of_the_default_configuration() -> None:
    settings = load(embedded("config/sipgw.yaml"), {})
    assert int(value("TimeoutStopSec")) > settings.calls.drain_limit
    assert value("KillSignal") == "SIGTERM"


def test_there_are_descriptors_for_as_many_calls_as_the_default_has_ports_for() -> None:
    assert int(value("LimitNOFILE")) >= descriptors_for(wanted_calls(load(embedded("config/sipgw.yaml"), {})))


@pytest.mark.interop
def test_systemd_takes_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed (Debian package systemd)")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/sipgw/bin/sipgw", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
