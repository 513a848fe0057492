"""Series and comparisons as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from sipgw.tools.bench.compare import Difference
from sipgw.tools.bench.result import FIGURES, Point, Run, Series


def show(series: Series, console: Console) -> None:
    """The medians, one column for each number of calls, and what was wrong with runs."""
    table = Table("", *(f"{point.calls} calls" for point in series.points), box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, title in FIGURES.items():
        table.add_row(title, *(_written(point.median(name)) for point in series.points))
    console.print(table)
    if (growth := series.rss_mb_per_call) is not None:
        console.print(f"memory: {growth:.3f} MB more for each call")
    for point in series.points:
        _complain(point, console)


def show_run(run: Run, number: int, console: Console) -> None:
    """A line when a run is done: a series takes minutes."""
    cost = f"{_written(run.cpu_ms)} ms a call-second, {_written(run.to_floor)} times the floor"
    delay = f"echo {_written(run.echo_ms.p50 if run.echo_ms else None)} ms"
    faults = f"  invalid: {'; '.join(run.invalid)}" if run.invalid else ""
    console.print(f"{run.calls} calls, run {number}: {cost}, {delay}{faults}", soft_wrap=True)


def show_differences(differences: Sequence[Difference], console: Console) -> None:
    """Each figure before and now."""
    table = Table("", "before", "now", "ratio", "noise", "", box=None, header_style="bold")
    for column in table.columns[1:5]:
        column.justify = "right"
    for one in differences:
        table.add_row(
            f"{one.calls} calls: {FIGURES[one.name]}",
            _written(one.before), _written(one.now), f"{one.ratio:.3f}", f"±{one.band:.3f}", one.verdict.value,
        )  # fmt: skip
    console.print(table)


def _complain(point: Point, console: Console) -> None:
    bad = [run for run in point.runs if run.invalid]
    if not bad:
        return
    reasons = "; ".join(sorted({reason for run in bad for reason in run.invalid}))
    left = "the others count" if len(bad) < len(point.runs) else "there are no others: trust no delay"
    console.print(
        f"{point.calls} calls: {len(bad)} of {len(point.runs)} runs are invalid ({reasons}); {left}", soft_wrap=True
    )


def _written(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
