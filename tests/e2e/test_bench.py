"""`sipgw bench calls` as a user runs it, in small: it measures, writes, and compares."""

import json
from pathlib import Path

from tests.test_cli import sipgw


async def test_a_small_series_yields_sane_figures_and_compares_with_itself(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    series = ("bench", "calls", "--calls", "2,5", "--seconds", "1", "--runs", "1")
    first = await sipgw(*series, "--json", result)
    # 1: a machine busy with other things makes every run invalid, which is then said.
    assert first.code == 0 or "runs are invalid" in first.out, first.out + first.err
    written = json.loads(result.read_text())
    assert written["about"]["command"].startswith("sipgw bench calls --calls 2,5")
    assert written["rss_mb_per_call"] is not None
    for calls, point in zip((2, 5), written["points"], strict=True):
        (run,) = point["runs"]
        assert (run["calls"], run["answered"]) == (calls, calls)
        assert run["floor_ms"] > 0
        assert 0 < run["cpu_ms"] < 200
        assert 20 < run["rss_mb"] < 500
        assert 0 < run["to_ai_ms"]["p50"] < run["echo_ms"]["p50"] < 500
        assert 0.8 < run["heard"] < 1.2
        assert run["counted"]["ended normal"] == calls
    second = await sipgw("bench", "calls", "--calls", "5", "--seconds", "1", "--runs", "1", "--compare", result)
    assert "5 calls: CPU, times the floor" in second.out, second.out + second.err


async def test_a_result_that_is_none_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    outcome = await sipgw("bench", "calls", "--compare", other)
    assert outcome.code == 2
    assert f"{other} is no result" in outcome.err
