"""Clocks."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sipgw.io.clock import MonotonicClock, timestamp, wall_clock


async def test_the_monotonic_clock_counts_from_the_same_moment_as_the_loop() -> None:
    assert MonotonicClock().now() == pytest.approx(asyncio.get_running_loop().time(), abs=0.05)


def test_the_wall_clock_is_in_utc() -> None:
    assert wall_clock().tzinfo is UTC


def test_a_timestamp_is_rfc_3339_in_utc() -> None:
    noon = datetime(2026, 3, 1, 12, 0, 0, 5_000, timezone(timedelta(hours=2)))
    assert timestamp(noon) == "2026-03-01T10:00:00.005Z"
