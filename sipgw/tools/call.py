"""`sipgw call`: one call by the test phone, shown as a ladder and a few facts."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sipgw.errors import SipgwError
from sipgw.tools.ladder.draw import print_ladder
from sipgw.tools.phone import Order, call
from sipgw.tools.report import FAR_END, PHONE, CallReport
from sipgw.tools.sound import CLOCK_HZ, Sound, from_capture, from_wav
from sipgw.tools.wav import write_wav


@dataclass(frozen=True, slots=True)
class Plan:
    """The command's arguments."""

    uri: str
    play: Path | None
    capture: Path | None
    record: Path | None
    keys: str
    seconds: float | None
    caller: str
    codecs: tuple[str, ...]

    def sound(self) -> Sound:
        """What the phone is to say."""
        if self.capture is not None:
            return from_capture(self.capture)
        return from_wav(self.play, self.codecs[0]) if self.play is not None else Sound()


def place(plan: Plan) -> int:
    """Make the call and print it; the exit code: 0 where it was answered, 1 where not, 2 for a bad argument."""
    console = Console()
    try:
        order = Order(plan.uri, plan.sound(), plan.keys, plan.seconds, plan.caller, plan.codecs)
        report = asyncio.run(call(order))
    except (SipgwError, OSError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 2
    show(report, console)
    if plan.record is not None and report.answered:
        write_wav(plan.record, report.heard, CLOCK_HZ)
        console.print(f"what was heard is in {plan.record}", highlight=False)
    return 0 if report.answered else 1


def show(report: CallReport, console: Console) -> None:
    """Print the ladder and the facts of a call."""
    print_ladder((PHONE, FAR_END), report.steps, console)
    console.print()
    console.print(facts(report.facts()))


def facts(rows: list[tuple[str, str]]) -> Table:
    """Names and values, as a table without lines."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows:
        table.add_row(f"[bold]{name}[/bold]", value)
    return table
