"""`sipgw ladder`: the calls of a capture as ladders, in the terminal or as a page."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sipgw.errors import SipgwError
from sipgw.tools.capture.reading import read
from sipgw.tools.chosen import chosen
from sipgw.tools.ladder.draw import print_ladder
from sipgw.tools.ladder.of_capture import Ladder, ladder_of
from sipgw.tools.ladder.page import page

_MOST_CALLS = 20
"""Printed where no call is named."""
_MOST_ON_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """The command's arguments."""

    capture: Path
    call: str | None = None
    html: Path | None = None


def ladder(plan: Plan, console: Console) -> int:
    """Draw; the exit code: 0, or 2 where it cannot be done."""
    try:
        calls = chosen(read(plan.capture), plan.call)
        if plan.html is not None:
            write_page(plan.html, plan.capture.name, [ladder_of(call) for call in calls[:_MOST_ON_A_PAGE]])
    except SipgwError as error:
        Console(stderr=True).print(Text(str(error), style="red"), soft_wrap=True)
        return 2
    if plan.html is not None:
        _say(console, f"{min(len(calls), _MOST_ON_A_PAGE)} of {len(calls)} calls are drawn in {plan.html}")
        return 0
    for call in calls[:_MOST_CALLS]:
        show(ladder_of(call), console)
    if len(calls) > _MOST_CALLS:
        _say(console, f"and {len(calls) - _MOST_CALLS} more calls: --call chooses one, --html draws them all")
    return 0


def write_page(path: Path, title: str, ladders: list[Ladder]) -> None:
    """Write ladders as an HTML page.

    Raises:
        SipgwError: it cannot be written.
    """
    try:
        path.write_text(page(title, ladders), encoding="utf-8", errors="replace")
    except OSError as error:
        raise SipgwError(f"{path} cannot be written: {error.strerror}") from None


def show(one: Ladder, console: Console) -> None:
    """Print one ladder, and below it what went wrong, in full."""
    console.print(Text(one.title, style="bold"), Text(one.call_id, style="dim"), soft_wrap=True)
    print_ladder(one.parties, one.steps, console)
    console.print()
    console.print(Text(", ".join(f"{name} {value}" for name, value in one.facts), style="dim"), soft_wrap=True)
    for step in one.steps:
        if step.problem:
            console.print(Text(f"{step.when:8.3f}  {step.label}", style="red"), soft_wrap=True)
    console.print()


def _say(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
