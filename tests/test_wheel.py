"""The built wheel holds all that the program needs away from its checkout."""

import importlib.util
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.shared import missing

ROOT = Path(__file__).parents[1]
WANTED = (
    "sipgw/_data/config/sipgw.yaml",
    "sipgw/_data/config/prompts/apology.wav",
    "sipgw/_data/pcaps/first-call.pcap",
    "sipgw/ai/sipgw-protocol.schema.json",
    "sipgw/py.typed",
    "sipgw_codecs/g711.py",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the back end that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, folder], cwd=ROOT, capture_output=True, text=True, check=False)
    if "No module named 'hatchling'" in done.stderr:
        missing("hatchling is not installed")
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


def test_it_holds_code_configuration_prompts_and_the_first_call(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert set(WANTED) <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_it_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    # Its own files first, then the libraries of this environment; -S keeps the editable checkout out.
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    code = "import sipgw.cli, sipgw; print(sipgw.__file__); sipgw.cli.main()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, "check"],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join([str(tmp_path / "site"), *libraries])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    assert "The configuration is good" in done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `sipgw` of an environment that holds the wheel, what it says it needs, and nothing else."""
    if importlib.util.find_spec("ensurepip") is None:
        missing("this Python has no ensurepip (Debian package python3-venv)")
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    done = subprocess.run([*pip, "install", "--quiet", wheel], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"what the wheel needs cannot be installed: {done.stderr.strip()}")
    return folder / "bin" / "sipgw"


def sipgw(command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a user would who has never seen the checkout."""
    return subprocess.run(
        [command, *arguments],
        cwd=command.parent,
        env={
            "PATH": os.defpath,
            "SIPGW_SIP_PORT": str(free_port()),
            "SIPGW_MEDIA_PORTS": "20861-20880",
            "SIPGW_STATE": str(command.parent / "state"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.interop
def test_it_is_complete_in_an_environment_of_its_own(installed: Path) -> None:
    checked = sipgw(installed, "check")
    assert checked.returncode == 0, checked.stderr
    assert "The configuration is good" in checked.stdout
    proven = sipgw(installed, "run", "--once")
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "It works." in proven.stdout
