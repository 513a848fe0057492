"""`sipgw bench calls`: the series, its table, its file, and the comparison with an earlier one."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from sipgw.errors import SipgwError
from sipgw.io.ports import raise_descriptor_limit
from sipgw.tools.bench.compare import compare
from sipgw.tools.bench.machine import about
from sipgw.tools.bench.order import Order, complain, read_result
from sipgw.tools.bench.plan import Plan
from sipgw.tools.bench.result import Point, Series
from sipgw.tools.bench.run import floor_ms, run
from sipgw.tools.bench.table import show, show_differences, show_run
from sipgw.tools.bench.traffic import may_be_realtime

_BESIDES = 256
_A_CALL = 4
"""Descriptors in the generator, with some to spare."""


def bench(make: Callable[[], Order[Plan]]) -> int:
    """Measure, print and write; the process's exit code: 1 where no run was valid or something did not start, 2 where
    what was asked for makes no sense.

    Args:
        make: gives the order; raises UsageError where it makes no sense.
    """
    console = Console(highlight=False)
    try:
        order = make()
        before = read(order.against) if order.against is not None else None
        if order.plan.realtime:
            may_be_realtime()
        raise_descriptor_limit(_BESIDES + _A_CALL * max(order.plan.calls))  # the far ends inherit it
        series = asyncio.run(measure(order.plan, order.arguments, console))
    except SipgwError as error:
        return complain(error)
    console.print()
    show(series, console)
    order.keep(series.as_json())
    if before is not None:
        console.print()
        show_differences(compare(series, before), console)
    return 0 if all(any(not run.invalid for run in point.runs) for point in series.points) else 1


async def measure(plan: Plan, arguments: Sequence[str], console: Console) -> Series:
    """All runs. Numbers of calls take turns, so that a busy minute of the machine does not hit one alone."""
    series = Series(about(arguments), [Point(calls) for calls in plan.calls])
    for number in range(1, plan.runs + 1):
        for point in series.points:
            floor = await floor_ms(plan, point.calls) if plan.floor else None
            one = await run(plan, point.calls)
            one.floor_ms = round(floor, 3) if floor is not None else None
            point.runs.append(one)
            show_run(one, number, console)
    return series


def read(path: Path) -> Series:
    """A result written before. Raises UsageError where it is none."""
    return read_result(path, Series.from_json, "calls")
