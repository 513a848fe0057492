"""Clients that hammer the API while a call runs: they are slowed down, and the call's ticks are not."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from sipgw.ops.api.gate import INTERVAL
from sipgw.tools.phone import Order, call
from tests.interop.operator import Operator, operated

SECONDS = 3.0
CLIENTS = 30
_BUCKET = re.compile(r'^sipgw_tick_lateness_seconds_bucket\{le="([^"]+)"[^}]*\} ([0-9.]+)', re.MULTILINE)


async def ticks(operator: Operator) -> dict[str, float]:
    """Ticks served so far, by how late they were at most."""
    text = (await operator.client.get("/metrics")).text
    return {bound: float(count) for bound, count in _BUCKET.findall(text)}


async def hammer(operator: Operator) -> int:
    """Ask as fast as that is possible, on many connections; how many answers came."""
    until, answers = time.monotonic() + SECONDS, 0

    async def ask() -> None:
        nonlocal answers
        while time.monotonic() < until:
            assert (await operator.client.get("/v1/calls")).status_code == 200
            answers += 1

    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return answers


@pytest.mark.parametrize("workers", [0, 1])
async def test_the_api_costs_no_ticks(tmp_path: Path, workers: int) -> None:
    async with operated(tmp_path, {"workers": workers}) as operator:
        calling = asyncio.create_task(call(Order(f"sip:tone@{operator.gateway.address}", seconds=SECONDS + 4)))
        await operator.talking()
        before = await ticks(operator)
        answers = await hammer(operator)
        served = {bound: count - before[bound] for bound, count in (await ticks(operator)).items()}
        await calling
    assert answers <= (SECONDS + 1) / INTERVAL + CLIENTS
    assert served["+Inf"] > SECONDS / 0.005 * 0.8, served
    # 30 requests served in one turn of the loop would take longer than any of these.
    assert served["0.02"] >= 0.98 * served["+Inf"], served
