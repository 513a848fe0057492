"""Results: medians of what counts, the file, and comparisons with their noise."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from sipgw.errors import UsageError
from sipgw.tools.bench.command import read
from sipgw.tools.bench.compare import Verdict, compare
from sipgw.tools.bench.result import Point, Run, Series, Spread
from sipgw.tools.bench.table import show, show_differences


def run(cpu_ms: float, *, calls: int = 50, late_ms: float = 0.2, rss_mb: float = 60.0) -> Run:
    one = Run(
        calls, calls, cpu_ms=cpu_ms, floor_ms=0.8, rss_mb=rss_mb,
        echo_ms=Spread(18.0, 30.0), generator_late_ms=Spread(0.1, late_ms),
    )  # fmt: skip
    one.judge()
    return one


def series(*cpu_ms: float) -> Series:
    return Series({"commit": "abc"}, [Point(50, [run(one) for one in cpu_ms])])


def test_the_median_is_of_the_valid_runs() -> None:
    point = Point(50, [run(1.0), run(1.2), run(1.4), run(9.0, late_ms=2.0)])
    assert point.median("cpu_ms") == 1.2
    assert point.median("to_floor") == pytest.approx(1.5)
    assert point.median("echo_ms.p50") == 18.0


def test_without_a_valid_run_all_count_and_it_says_so() -> None:
    point = Point(50, [run(1.0, late_ms=2.0), run(2.0, late_ms=3.0)])
    assert point.median("cpu_ms") == 1.5
    console = Console(record=True, width=200)
    show(Series({}, [point]), console)
    said = console.export_text()
    assert "2 of 2 runs are invalid" in said
    assert "the generator was 2.0 ms late itself" in said
    assert "trust no delay" in said


def test_a_call_that_was_not_answered_makes_a_run_invalid() -> None:
    one = Run(calls=3, answered=2)
    one.judge()
    assert one.invalid == ["1 calls were not answered"]


def test_memory_is_what_each_further_call_takes() -> None:
    points = [Point(50, [run(1.0, rss_mb=60.0)]), Point(200, [run(1.0, calls=200, rss_mb=75.0)])]
    assert Series({}, points).rss_mb_per_call == pytest.approx(0.1)
    assert Series({}, points[:1]).rss_mb_per_call is None


def test_a_series_survives_its_file(tmp_path: Path) -> None:
    before = series(1.0, 1.1, 1.2)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(before.as_json()))
    assert read(path) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"about": {}, "points": [{"calls": 1, "runs": [{"speed": 1}]}]}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="is no result"):
        read(path)


def test_what_is_within_the_scatter_of_the_runs_is_no_difference() -> None:
    found = {one.name: one for one in compare(series(1.05, 1.15, 1.25), series(1.0, 1.1, 1.2))}
    assert found["cpu_ms"].verdict is Verdict.SAME
    assert found["cpu_ms"].ratio == pytest.approx(1.15 / 1.1)


def test_what_is_beyond_it_is_better_or_worse() -> None:
    slow, fast = series(2.0, 2.02, 2.04), series(1.0, 1.01, 1.02)
    better = {one.name: one for one in compare(fast, slow)}
    worse = {one.name: one for one in compare(slow, fast)}
    assert better["to_floor"].verdict is Verdict.BETTER
    assert worse["to_floor"].verdict is Verdict.WORSE
    console = Console(record=True, width=200)
    show_differences(list(worse.values()), console)
    assert "worse" in console.export_text()


def test_numbers_of_calls_that_only_one_has_are_left_out() -> None:
    assert compare(series(1.0), Series({}, [Point(200, [run(1.0, calls=200)])])) == []
