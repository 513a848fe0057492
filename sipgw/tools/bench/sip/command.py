"""`sipgw bench sip`: measures, prints, writes, compares."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sipgw.errors import SipgwError, UsageError
from sipgw.tools.bench.machine import about
from sipgw.tools.bench.sip import message
from sipgw.tools.bench.sip.plan import SipPlan
from sipgw.tools.bench.sip.result import SipResult
from sipgw.tools.bench.sip.run import run
from sipgw.tools.bench.sip.table import show

_MESSAGE_RUNS = 20


@dataclass(frozen=True, slots=True)
class Order:
    """A plan, and what is to become of its result."""

    plan: SipPlan
    arguments: tuple[str, ...] = ()
    """The command line, for the record."""
    into: Path | None = None
    """Write the result here, as JSON."""
    against: Path | None = None
    """Compare with the result in this file."""


def bench(make: Callable[[], Order]) -> int:
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
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        return 2 if isinstance(error, UsageError) else 1
    show(result, before, console)
    if order.into is not None:
        order.into.write_text(json.dumps(result.as_json(), indent=1) + "\n")
    return 1 if result.failed else 0


def measure(order: Order) -> SipResult:
    """The message alone, then calls."""
    result = SipResult(about(order.arguments), order.plan.rate)
    result.parse_build_us = message.microseconds(message.parse_and_build, _MESSAGE_RUNS)
    result.take_us = message.microseconds(message.take, _MESSAGE_RUNS)
    result.windows, result.failed = asyncio.run(run(order.plan))
    return result


def read(path: Path) -> SipResult:
    """A result written before.

    Raises:
        UsageError: it is none.
    """
    try:
        return SipResult.from_json(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no result of `sipgw bench sip`: {error!r}") from None
