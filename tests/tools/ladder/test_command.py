"""`sipgw ladder` as a command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sipgw.cli import cli

FIRST_CALL = Path(__file__).parents[3] / "pcaps" / "first-call.pcap"


def drawn(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["ladder", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def test_a_capture_is_drawn_in_the_terminal() -> None:
    code, printed = drawn(FIRST_CALL)
    assert code == 0
    lines = [line for line in printed.splitlines() if "─ INVITE ─" in line or "─ BYE ─" in line]
    assert len(lines) == 2
    assert "key 5" in printed


def test_a_page_is_written(tmp_path: Path) -> None:
    out = tmp_path / "call.html"
    code, printed = drawn(FIRST_CALL, "--html", out)
    assert (code, "1 of 1 calls" in printed) == (0, True)
    assert "INVITE sip:echo@127.0.0.1:5570 SIP/2.0" in out.read_text(encoding="utf-8")


def test_one_call_is_chosen_by_number_or_id() -> None:
    assert drawn(FIRST_CALL, "--call", "1")[0] == 0
    assert drawn(FIRST_CALL, "--call", "first-call")[0] == 0
    code, printed = drawn(FIRST_CALL, "--call", "absent")
    assert code == 2
    assert "holds no call 'absent'" in printed


@pytest.mark.parametrize("content", [b"", b"\x0a\x0d\x0d\x0a" + bytes(40), b"GET / HTTP/1.1"])
def test_what_is_no_capture_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    code, printed = drawn(path)
    assert code == 2
    assert len(printed.strip().splitlines()) == 1


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    code, printed = drawn(FIRST_CALL, "--html", tmp_path / "absent" / "x.html")
    assert code == 2
    assert "cannot be written" in printed
