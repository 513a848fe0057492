"""A result as a table, beside an earlier one where there is one."""

from rich.console import Console
from rich.table import Table

from sipgw.tools.bench.sip.result import FIGURES, TARGETS, SipResult


def show(result: SipResult, before: SipResult | None, console: Console) -> None:
    """Medians with their spread, and targets; against an earlier result ratios with the noise of both."""
    columns = ("median", "least", "most", "target") + (("before", "ratio", "noise") if before is not None else ())
    table = Table("", *columns, box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, title in FIGURES.items():
        values, target = result.values(name), TARGETS.get(name)
        row = [_written(result.median(name)), _written(min(values)), _written(max(values))]
        row.append("" if target is None else f"{_written(target)}")
        table.add_row(title, *row, *(_against(name, result, before) if before is not None else ()))
    console.print(table)
    if result.failed:
        console.print(f"{result.failed} calls went wrong: the figures are of a gateway that did not keep up")


def _against(name: str, now: SipResult, before: SipResult) -> tuple[str, str, str]:
    earlier = before.median(name)
    if not earlier or not now.median(name):
        return _written(earlier), "", ""
    noise = max(_scatter(name, now) + _scatter(name, before), 0.03)
    return _written(earlier), f"{now.median(name) / earlier:.3f}", f"±{noise:.3f}"


def _scatter(name: str, result: SipResult) -> float:
    """Half the range, as part of the median."""
    values = result.values(name)
    return (max(values) - min(values)) / 2 / result.median(name)


def _written(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
