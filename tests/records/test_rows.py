"""From records to rows: exact numbers."""

from datetime import UTC, datetime

import pytest

from sipgw.records.rows import call_row, percentile
from tests.records.records import record, refused


def test_the_row_of_an_answered_call() -> None:
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    assert call_row(record()) == {
        "call": "n1-1", "node": "n1", "sip_call_id": "n1-1@phone", "source": "192.0.2.7", "trunk": "", "route": "1*",
        "caller": "+4930123", "caller_name": "Ann", "called": "100", "target": "second",
        "started": noon,
        "ringing": noon.replace(microsecond=50_000),
        "answered": noon.replace(microsecond=800_000),
        "ended": noon.replace(second=20, microsecond=800_000),
        "seconds": 20.0, "post_dial_seconds": 0.05,
        "cause": "normal", "status": 200, "q850": 16, "hung_up_by": "caller", "reason": "", "codec": "PCMU",
        "digits": 3, "first_audio_ms": 310, "mos": 4.02,
        "turns_ms": [400, 900, 500, 700], "turn_p50_ms": 500, "turn_p95_ms": 900,
    }  # fmt: skip


def test_what_never_came_is_nothing_in_the_row_of_a_refused_call() -> None:
    row = call_row(refused())
    assert {name for name, value in row.items() if value is None} == {
        "ringing", "answered", "post_dial_seconds", "first_audio_ms", "mos", "turn_p50_ms", "turn_p95_ms",
    }  # fmt: skip
    assert (row["status"], row["seconds"], row["turns_ms"], row["target"]) == (404, 0.0, [], "")


def test_without_ringing_the_answer_is_the_first_sign_of_life() -> None:
    assert call_row(record(ringing=None))["post_dial_seconds"] == 0.8


def test_a_zero_byte_from_a_far_end_becomes_a_mark_that_every_database_takes() -> None:
    assert call_row(record(caller="a\0b"))["caller"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([7], 50, 7), ([7], 95, 7), ([3, 1, 2], 50, 2), ([1, 2], 50, 1), (list(range(1, 101)), 95, 95)],
)
def test_percentiles_are_values_that_were_there(values: list[int], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected
