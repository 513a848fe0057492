"""`sipgw bench sip`: what is made of what was measured."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from sipgw.errors import UsageError
from sipgw.sip.message import Request, parse
from sipgw.tools.bench.sip import message
from sipgw.tools.bench.sip.command import read
from sipgw.tools.bench.sip.plan import SipPlan
from sipgw.tools.bench.sip.result import SipResult, Window
from sipgw.tools.bench.sip.table import show


def result(*cpu: float, failed: int = 0) -> SipResult:
    windows = [Window(10.0, 1000, each, 1.0, 0.5, 0.1) for each in cpu]
    return SipResult({"commit": "abc"}, 100, windows, failed, [35.0, 36.0, 40.0], [90.0])


def shown(now: SipResult, before: SipResult | None = None) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        show(now, before, console)
    return captured.get()


def test_the_figures_are_medians_of_windows() -> None:
    one = result(2.5, 2.0, 4.0)
    assert one.median("calls_per_cpu_second") == 400
    assert one.median("control_us") == 2500
    assert one.median("to_caller") == 5
    assert one.median("offered") == 100
    assert one.median("parse_build_us") == 36


def test_a_result_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result(2.0).as_json()))
    assert read(path) == result(2.0)
    path.write_text("{}")
    with pytest.raises(UsageError, match="no result"):
        read(path)


def test_the_table_has_spread_target_and_what_went_wrong() -> None:
    text = shown(result(2.5, 2.0, 4.0, failed=3))
    (row,) = [line.split() for line in text.splitlines() if line.startswith(" completed calls a CPU-second")]
    assert row[-4:] == ["400", "250", "500", "300"]
    assert "3 calls went wrong" in text


def test_a_comparison_has_the_ratio_and_the_noise_of_both() -> None:
    text = shown(result(2.0, 2.2), result(4.0))
    (row,) = [line.split() for line in text.splitlines() if "times SIPp" in line]
    assert row[-3:] == ["8", "0.525", "±0.048"]


def test_the_message_is_read_whole_and_printed_as_it_was() -> None:
    assert message.parse_and_build() == message.INVITE
    taken = parse(message.take())
    assert isinstance(taken, Request)
    assert taken.via.rport == 5060
    assert taken.body.endswith(b"a=sendrecv\r\n")
    assert len(message.microseconds(message.take, 2)) == 2


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError):
        SipPlan(rate=0)
    assert SipPlan(rate=10, warm_up=1, seconds=2, windows=3).calls == 70
