"""The command as a user runs it: what it prints, and the exit code a script sees."""

import asyncio
import json
import os
import socket
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.plan import plan, to
from tests.interop.gateway import running
from tests.ports import free_port

LIMIT = 60.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


async def sipgw(*arguments: str | Path, **environment: str) -> Outcome:
    """Run `sipgw` to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIPGW_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sipgw", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean, "COLUMNS": "200", "TERM": "dumb", **environment},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


GOOD = """\
sip:
  port: 5090
backends:
  helper:
    dialect: echo
routes:
  - number: "*"
    targets: [helper]
    anyone: true
"""
MISTAKES = {
    "an unknown key": ("  port:", "  prot:", ":2: sip.prot: unknown key; did you mean port?"),
    "a bad value": ("5090", "99999", ":2: sip.port: should be less than or equal to 65535"),
    "an unknown target": ("[helper]", "[hepler]", ":8: routes[0].targets[0]: there is no backend 'hepler'; did you"),
    "a route for nobody": (
        "    anyone: true\n",
        "",
        "routes[0]: nobody may use this route; list the callers' addresses",
    ),
    "no YAML": ("routes:", "routes: [", ":"),
    "an unset variable": ("echo", "${NO_SUCH_THING}", ":5: backends.helper.dialect: "),
}
"""What to write instead of what, and what is then said."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    return path


async def test_check_names_file_line_key_and_what_to_do(config: Path, tmp_path: Path) -> None:
    async def one(name: str, what: str, instead: str, said: str) -> None:
        path = tmp_path / f"{name}.yaml"
        assert what in GOOD
        path.write_text(GOOD.replace(what, instead, 1))
        outcome = await sipgw("check", "--config", path)
        assert outcome.code == 2, name
        assert outcome.err.startswith(f"{path}:"), name
        assert said in outcome.err, outcome.err
        assert "Traceback" not in outcome.err

    await asyncio.gather(*(one(name, *mistake) for name, mistake in MISTAKES.items()))
    good = await sipgw("check", "--config", config)
    assert (good.code, good.err) == (0, "")
    assert "The configuration is good" in good.out


async def test_run_names_a_taken_port_and_the_variable_that_moves_it(config: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket() as metrics:
        sip.bind(("127.0.0.1", 0))
        metrics.bind(("127.0.0.1", 0))
        metrics.listen()
        taken, scraped = sip.getsockname()[1], metrics.getsockname()[1]
        one, other = {"SIPGW_STATE": str(tmp_path / "one")}, {"SIPGW_STATE": str(tmp_path / "other")}
        free = str(free_port())
        by_sip, by_metrics = await asyncio.gather(
            sipgw("run", "--config", config, SIPGW_SIP_PORT=str(taken), **one),
            sipgw("run", SIPGW_CONFIG=str(config), SIPGW_SIP_PORT=free, SIPGW_METRICS_PORT=str(scraped), **other),
        )
    assert (by_sip.code, by_metrics.code) == (1, 1)
    assert f"127.0.0.1:{taken} is taken by another program; SIPGW_SIP_PORT" in by_sip.err
    assert f"127.0.0.1:{scraped} is taken by another program; SIPGW_METRICS_PORT" in by_metrics.err
    assert "Traceback" not in by_sip.err + by_metrics.err


async def test_call_records_what_it_heard_and_its_exit_code_tells_whether_it_was_answered(tmp_path: Path) -> None:
    record = tmp_path / "heard.wav"
    async with running(tmp_path, plan(to("tone", {"dialect": "tone"}))) as gateway:
        answered, refused = await asyncio.gather(
            sipgw("call", f"sip:tone@{gateway.address}", "--seconds", "1", "--codec", "pcma", "--record", record),
            sipgw("call", f"sip:nobody@{gateway.address}"),
        )
    assert (answered.code, refused.code) == (0, 1)
    assert "200, the phone hung up" in answered.out
    assert "PCMA" in answered.out
    assert "404" in refused.out
    assert "INVITE" in answered.out
    with wave.open(str(record)) as heard:
        assert 0.7 < heard.getnframes() / heard.getframerate() < 1.5


async def test_health_is_what_the_running_gateway_answers(tmp_path: Path) -> None:
    async with running(tmp_path, plan(to("tone", {"dialect": "tone"}))) as gateway:
        alive = await sipgw("health", "--config", tmp_path / "sipgw.yaml")
    assert (alive.code, alive.out) == (0, f"udp:{gateway.address} answers: 200 OK\n")


async def test_call_names_an_argument_that_makes_no_sense() -> None:
    async def one(said: str, *arguments: str) -> None:
        outcome = await sipgw("call", *arguments)
        assert outcome.code == 2, outcome
        assert said in outcome.err
        assert "Traceback" not in outcome.err

    await asyncio.gather(
        one("mailto:tone is no sip: URI", "mailto:tone"),
        one("/no/such.wav cannot be read", "sip:tone@127.0.0.1:9", "--play", "/no/such.wav"),
        one("the test phone does not speak OPUS, but PCMU and PCMA", "sip:tone@127.0.0.1:9", "--codec", "OPUS"),
        one("no key X", "sip:tone@127.0.0.1:9", "--dtmf", "5X"),
        one("/no/such is no folder", "sip:tone@127.0.0.1:9", "--record", "/no/such/heard.wav"),
    )


async def test_cdr_reads_the_records_of_a_gateway_while_it_runs(tmp_path: Path) -> None:
    async with running(tmp_path, {"state": str(tmp_path / "state")}) as gateway:
        called = await sipgw("call", f"sip:echo@{gateway.address}", "--seconds", "1", "--from", "+4930123")
        assert called.code == 0, called.err
        await gateway.said("call ended")
        config = tmp_path / "sipgw.yaml"
        async with asyncio.timeout(LIMIT):
            while not (found := await sipgw("cdr", "list", "-c", config, "--since", "1h", "--json")).out:
                assert found.code == 0, found.err
        row = json.loads(found.out)
        assert (row["caller"], row["called"], row["cause"]) == ("+4930123", "echo", "normal")
        shown = await sipgw("cdr", "show", row["call"], "-c", config)
        assert (shown.code, "leg 1     echo (echo): tried" in shown.out) == (0, True), shown
        heard = json.loads((await sipgw("cdr", "show", row["call"], "-c", config, "--json")).out)["legs"][1]
        assert heard["said_ms"] > 500
        assert heard["heard_ms"] > 500
        exported = await sipgw("cdr", "export", "-c", config, "--number", "+49*", "-o", tmp_path / "calls.csv")
        assert exported.code == 0, exported.err
        assert len((tmp_path / "calls.csv").read_text().splitlines()) == 2
        assert (await sipgw("cdr", "show", "none", "-c", config)).code == 1
        assert (await sipgw("cdr", "list", "-c", config, "--since", "soon")).code == 2
        assert "already" in (await sipgw("cdr", "migrate", "-c", config)).out
