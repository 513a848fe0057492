"""`sipgw bench sip`: measures, prints, writes, compares."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from sipgw.errors import SipgwError
from sipgw.tools.bench.machine import about
from sipgw.tools.bench.order import Order, complain, read_result
from sipgw.tools.bench.sip import message
from sipgw.tools.bench.sip.plan import SipPlan
from sipgw.tools.bench.sip.result import SipResult
from sipgw.tools.bench.sip.run import run
from sipgw.tools.bench.sip.table import show

_MESSAGE_RUNS = 20


def bench(make: Callable[[], Order[SipPlan]]) -> int:
    """Measure, print and write; the process's exit code: 1 where calls went wrong or something did not start, 2 where
    what was asked for makes no sense.

    Args:
        make: gives the order; raises UsageError where it makes no sense.
    """
    console = Console(highlight=False)
    try:
        order = make()
        before = read(order.against) if order.against is not None else None
        result = measure(order)
    except SipgwError as error:
        return complain(error)
    show(result, before, console)
    order.keep(result.as_json())
    return 1 if result.failed else 0


def measure(order: Order[SipPlan]) -> SipResult:
    """The message alone, then calls."""
    result = SipResult(about(order.arguments), order.plan.rate)
    result.parse_build_us = message.microseconds(message.parse_and_build, _MESSAGE_RUNS)
    result.take_us = message.microseconds(message.take, _MESSAGE_RUNS)
    result.windows, result.failed = asyncio.run(run(order.plan))
    return result


def read(path: Path) -> SipResult:
    """A result written before. Raises UsageError where it is none."""
    return read_result(path, SipResult.from_json, "sip")
