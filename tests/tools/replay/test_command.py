"""`sipgw replay` as a command: what it prints and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sipgw.cli import cli
from tests.fakes.captured import Capture, call, message

ROOT = Path(__file__).parents[3]
CAPTURE = ROOT / "pcaps" / "first-call.pcap"
EXPECTED = ROOT / "pcaps" / "first-call.expect.yaml"


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPGW_CONFIG", raising=False)


def replayed(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["replay", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def test_the_first_call_is_as_expected() -> None:
    code, printed = replayed(CAPTURE, "--expect", EXPECTED)
    assert code == 0
    assert "as expected" in printed
    assert "digit 5" in printed


def test_a_difference_is_printed_with_place_and_both_sides_and_the_exit_code_is_one() -> None:
    code, printed = replayed(CAPTURE, "--expect", EXPECTED, "--backend", "tone")
    assert code == 1
    assert "what the caller heard: sounds different" in printed
    assert "likeness 0.85 or more" in printed


def test_what_it_writes_it_accepts(tmp_path: Path) -> None:
    capture = call().write(tmp_path / "call.pcap")
    expected = tmp_path / "call.expect.yaml"
    assert replayed(capture, "--backend", "demo", "--write-expect", expected)[0] == 0
    assert replayed(capture, "--expect", expected)[0] == 0  # with the backend it was written with
    assert "capture: call.pcap\n" in expected.read_text()


def test_the_output_is_json_where_asked_for() -> None:
    code, printed = replayed(CAPTURE, "--json", "--expect", EXPECTED)
    told = json.loads(printed)
    assert code == 0
    assert told["differences"] == []
    [one] = told["calls"]
    assert (one["digits"], one["cause"], one["codec"]) == ("5", "normal", "PCMA")
    assert told["calls"][0]["stats"]["received_packets"] == 246


def test_the_ladder_is_a_page_where_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "replay.html"
    assert replayed(CAPTURE, "--html", out)[0] == 0
    assert "200 OK (INVITE)" in out.read_text(encoding="utf-8")


def test_the_same_bytes_give_the_same_trace_in_another_process() -> None:
    def told(seed: str) -> object:
        command = [sys.executable, "-m", "sipgw", "replay", str(CAPTURE), "--backend", "demo", "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        return {key: value for key, value in json.loads(done.stdout).items() if key != "cpu_seconds"}

    assert told("1") == told("2")


@pytest.mark.parametrize("content", [b"", b"\xd4\xc3\xb2\xa1", b"no capture at all", b"\x0a\x0d\x0d\x0a" + bytes(40)])
def test_a_file_that_is_no_capture_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    code, printed = replayed(path)
    assert code == 2
    assert len(printed.strip().splitlines()) == 1
    assert "bad.pcap" in printed


def test_a_capture_that_is_cut_off_is_replayed_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "half.pcap"
    path.write_bytes(CAPTURE.read_bytes()[:60_000])
    code, printed = replayed(path)
    assert code == 0
    assert "media_timeout" in printed


def test_a_capture_without_a_call_says_so(tmp_path: Path) -> None:
    path = Capture().sent(0.0, message("OPTIONS sip:192.0.2.9 SIP/2.0", cseq="1 OPTIONS")).write(tmp_path / "o.pcap")
    assert replayed(path) == (2, f"{path} holds no SIP call\n")
    assert replayed(CAPTURE, "--call", "other")[0] == 2


@pytest.mark.parametrize("option", ["--backend", "--route"])
def test_an_unknown_backend_or_route_is_refused_with_those_there_are(option: str) -> None:
    code, printed = replayed(CAPTURE, option, "nobody")
    assert code == 2
    assert "there are" in printed
    assert "echo" in printed


def test_a_route_is_taken_whatever_was_called() -> None:
    code, printed = replayed(CAPTURE, "--route", "tone")
    assert code == 0
    assert "speech tone-1" in printed
