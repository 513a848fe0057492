"""Ladders, drawn as text."""

import io

import pytest
from rich.console import Console

from sipgw.tools.ladder.draw import Step, draw, print_ladder


def drawn(parties: list[str], steps: list[Step], width: int = 60) -> list[str]:
    return [line.plain for line in draw(parties, steps, width)]


def test_messages_sound_and_notes_each_have_their_look_and_are_in_order_of_time() -> None:
    steps = [
        Step(1.0, "phone", "gateway", "236 packets PCMA", media=True, until=8.05),
        Step(0.0, "phone", "gateway", "INVITE"),
        Step(0.25, "gateway", "phone", "200 OK"),
        Step(0.5, "phone", "phone", "hears speech"),
    ]
    assert drawn(["phone", "gateway"], steps, 56) == [
        "            phone                                gateway",
        "   0.000      │─────────────── INVITE ─────────────►│",
        "   0.250      │◄────────────── 200 OK ──────────────│",
        "   0.500      │ hears speech                        │",
        "   1.000      │······ 236 packets PCMA, 7.05 s ····►│",
    ]


def test_a_third_party_has_a_column_of_its_own() -> None:
    lines = drawn(["phone", "gateway", "AI"], [Step(0.0, "gateway", "AI", "connect")], 70)
    columns = [index for index, character in enumerate(lines[1]) if character == "│"]
    assert len(columns) == 3
    arrow = lines[1][columns[1] : columns[2]]
    assert " connect " in arrow
    assert arrow.endswith("►")
    assert not lines[1][columns[0] + 1 : columns[1]].strip()


@pytest.mark.parametrize("width", [30, 60, 200])
def test_a_long_label_is_cut_and_never_runs_over_the_other_lifeline(width: int) -> None:
    [_, line] = drawn(["phone", "gateway"], [Step(0.0, "phone", "gateway", "x" * 300)], width)
    assert "…" in line
    assert line.endswith("►│")
    assert len(line) <= width


def test_it_is_printed_without_colours_where_nobody_looks() -> None:
    console = Console(file=io.StringIO(), width=60)
    print_ladder(["phone", "gateway"], [Step(0.0, "phone", "gateway", "INVITE [x]")], console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "INVITE [x]" in printed
    assert "\x1b" not in printed
