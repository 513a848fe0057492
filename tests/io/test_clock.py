"""The clock."""

import asyncio

import pytest

from sipgw.io.clock import MonotonicClock


async def test_the_monotonic_clock_counts_from_the_same_moment_as_the_loop() -> None:
    assert MonotonicClock().now() == pytest.approx(asyncio.get_running_loop().time(), abs=0.05)
