"""The Dockerfile, as far as it can be checked without an engine: what it copies, who it runs as, what it runs."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from sipgw.cli import cli

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Keyword and arguments of each instruction, continued lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text())
    lines = text.replace("\\\n", " ").splitlines()
    return [(keyword, " ".join(rest.split())) for keyword, _, rest in (line.partition(" ") for line in lines if line)]


def last(keyword: str) -> str:
    return [arguments for found, arguments in instructions() if found == keyword][-1]


def test_what_it_copies_is_there_and_let_through_to_it() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for keyword, arguments in instructions()
        if keyword == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    }
    assert copied == allowed
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_wheel_needs_nothing_that_is_not_copied() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (sources,) = re.findall(r"(?m)^packages = (\[.*\])", project)
    included = re.findall(r'(?m)^"([\w/]+)" = "sipgw/_data', project)
    copied = [arguments.split()[0] for keyword, arguments in instructions() if keyword == "COPY"]
    for path in [*json.loads(sources), *included]:
        assert path.split("/")[0] in copied


def test_it_runs_as_nobody_in_particular_and_says_how_it_is_stopped() -> None:
    assert last("USER") == "sipgw"
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("VOLUME") == last("WORKDIR") == "/var/lib/sipgw"


def test_what_it_runs_are_commands_of_ours() -> None:
    commands = get_command(cli).commands  # type: ignore[attr-defined]
    assert json.loads(last("ENTRYPOINT")) == ["sipgw"]
    (run,) = json.loads(last("CMD"))
    program, check = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert program == "sipgw"
    assert {run, check} <= commands.keys()


@pytest.mark.parametrize("package", ["libopus0", "ca-certificates", "python3"])
def test_the_image_has_what_the_program_takes_from_the_system(package: str) -> None:
    steps = instructions()
    final = max(at for at, (keyword, _) in enumerate(steps) if keyword == "FROM")
    assert any(package in arguments.split() for keyword, arguments in steps[final:] if keyword == "RUN")
