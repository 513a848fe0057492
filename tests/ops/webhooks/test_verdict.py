"""What each answer means, and how long is waited."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sipgw.ops.webhooks.verdict import (
    LONGEST_REST,
    LONGEST_WAIT,
    Again,
    Delivered,
    Gone,
    backoff,
    judged,
    retry_after,
    unanswered,
)

NOW = 1_700_000_000.0


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_receipt(status: int) -> None:
    assert judged(status, {}, 1, NOW, 1.0) == Delivered()


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 401, 403, 404, 408, 429, 500, 502, 503, 599])
def test_anything_else_is_tried_again(status: int) -> None:
    assert judged(status, {}, 1, NOW, 1.0) == Again(f"http_{status}", 1.0)


def test_410_is_for_good() -> None:
    assert judged(410, {"retry-after": "5"}, 1, NOW, 1.0) == Gone()


@pytest.mark.parametrize(("status", "rests"), [(429, True), (503, True), (500, False), (301, False)])
def test_the_endpoint_rests_for_as_long_as_it_says_it_is_busy(status: int, rests: bool) -> None:
    verdict = judged(status, {"retry-after": "120"}, 1, NOW, 1.0)
    assert verdict == Again(f"http_{status}", 120.0 if rests else 1.0, rests)


def test_it_is_never_asked_sooner_than_patience_has_it() -> None:
    assert judged(503, {"retry-after": "0"}, 5, NOW, 1.0) == Again("http_503", 16.0, rests=True)


def test_patience_doubles_up_to_an_hour_and_half_of_it_is_luck() -> None:
    assert [backoff(attempts, 1.0) for attempts in range(1, 6)] == [1, 2, 4, 8, 16]
    assert [backoff(attempts, 0.0) for attempts in range(1, 6)] == [0.5, 1, 2, 4, 8]
    assert backoff(12, 1.0) == 2048
    assert backoff(13, 1.0) == backoff(10**6, 1.0) == LONGEST_WAIT


def test_one_that_does_not_answer_at_all_is_asked_every_minute_at_least() -> None:
    assert unanswered("timeout", 1, 1.0) == Again("timeout", 1.0, rests=True)
    assert unanswered("timeout", 50, 1.0) == Again("timeout", LONGEST_REST, rests=True)


def http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("17", 17.0), ("999999", 3600.0), (http_date(90), 90.0), (http_date(-5), 0.0),
        (http_date(10**6), 3600.0), ("", None), ("soon", None), ("-1", None), ("1.5", None), ("٣", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds
