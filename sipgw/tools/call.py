"""`sipgw call`: one call by the test phone, shown as a ladder and a few facts."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sipgw.errors import SipgwError, UsageError
from sipgw.rtp.dtmf import KEYS
from sipgw.tools.ladder.draw import print_ladder
from sipgw.tools.phone import Order, call
from sipgw.tools.report import FAR_END, PHONE, CallReport
from sipgw.tools.sound import CLOCK_HZ, Sound, from_capture, from_wav
from sipgw.tools.wav import write_wav
from sipgw_codecs.registry import LAWS


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

    def order(self) -> Order:
        """What the phone is to do.

        Raises:
            SipgwError: an argument makes no sense.
        """
        codecs = tuple(name.upper() for name in self.codecs)
        if unspoken := set(codecs) - set(LAWS):
            raise UsageError(f"the test phone does not speak {', '.join(sorted(unspoken))}, but {' and '.join(LAWS)}")
        if strange := set(self.keys.upper()) - set(KEYS):
            raise UsageError(f"no key {', '.join(sorted(strange))}; there are {KEYS}")
        if self.record is not None and not self.record.absolute().parent.is_dir():
            raise UsageError(f"{self.record.parent} is no folder to record into")
        return Order(self.uri, self._sound(codecs[0]), self.keys, self.seconds, self.caller, codecs)

    def _sound(self, first: str) -> Sound:
        if self.capture is not None:
            return from_capture(self.capture)
        return from_wav(self.play, first) if self.play is not None else Sound()


def place(plan: Plan) -> int:
    """Make the call and print it; the exit code: 0 where it was answered, 1 where not, 2 for a bad argument."""
    console = Console()
    try:
        report = asyncio.run(call(plan.order()))
        show(report, console)
        if plan.record is not None and report.answered:
            write_wav(plan.record, report.heard, CLOCK_HZ)
            console.print(f"what was heard is in {plan.record}", highlight=False, markup=False)
    except (SipgwError, OSError) as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
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
