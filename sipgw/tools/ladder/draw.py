"""Draws a call as a ladder: a column for each party, a rung for each message, with times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

_MARGIN = 10
"""Columns for the time."""
_PROBLEM = "red bold"
_WIDEST = 44
"""Between two parties; wider is harder to read."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung."""

    when: float
    """Seconds from the beginning of the call."""
    source: str
    target: str
    """The same as `source` for what a party does or hears by itself."""
    label: str
    media: bool = False
    """Sound instead of a message: drawn with dots."""
    until: float | None = None
    """End of what takes time."""
    detail: str = field(default="", repr=False)
    """More than fits, such as the whole message; for those who ask."""
    problem: bool = False
    """Something that went wrong."""


def print_ladder(parties: Sequence[str], steps: Iterable[Step], console: Console | None = None) -> None:
    """Print the ladder of a call; steps may come in any order."""
    console = console or Console()
    for line in draw(parties, steps, console.width):
        console.print(line, soft_wrap=True)


def draw(parties: Sequence[str], steps: Iterable[Step], width: int = 100) -> list[Text]:
    """The lines of the ladder."""
    places = _places(parties, width)
    head = _Row(width)
    for party, place in places.items():
        head.put(place - len(party) // 2, party, "bold")
    rungs = sorted(steps, key=lambda step: step.when)
    return [head.text(), *(_rung(step, places, width) for step in rungs)]


class _Row:
    """One line of characters that is written over."""

    def __init__(self, width: int) -> None:
        self._characters = [" "] * width
        self._styles: list[tuple[str, int, int]] = []

    def put(self, place: int, text: str, style: str = "") -> None:
        """Write `text` from `place` on; what does not fit is cut off."""
        start = max(place, 0)
        end = min(start + len(text), len(self._characters))
        self._characters[start:end] = text[: end - start]
        if style:
            self._styles.append((style, start, end))

    def text(self) -> Text:
        """The finished line."""
        text = Text("".join(self._characters), no_wrap=True)
        for style, start, end in self._styles:
            text.stylize(style, start, end)
        text.rstrip()
        return text


def _places(parties: Sequence[str], width: int) -> dict[str, int]:
    """The column of each party's lifeline."""
    edge = max((len(party) for party in parties), default=0) // 2 + 1
    gaps = max(len(parties) - 1, 1)
    gap = min((width - _MARGIN - 2 * edge) // gaps, _WIDEST)
    return {party: _MARGIN + edge + index * gap for index, party in enumerate(parties)}


def _rung(step: Step, places: dict[str, int], width: int) -> Text:
    row = _Row(width)
    row.put(0, f"{step.when:8.3f}", "cyan")
    for place in places.values():
        row.put(place, "│", "dim")
    label = step.label if step.until is None else f"{step.label}, {step.until - step.when:.2f} s"
    source, target = places[step.source], places[step.target]
    if source == target:
        row.put(source + 2, label, _PROBLEM if step.problem else "yellow")
    else:
        _arrow(row, source, target, label, _style(step), "·" if step.media else "─")
    return row.text()


def _style(step: Step) -> str:
    if step.problem:
        return _PROBLEM
    return "green" if step.media else ""


def _arrow(row: _Row, source: int, target: int, label: str, style: str, dash: str) -> None:
    """A line from one lifeline to the other with its label in the middle."""
    left, right = sorted((source, target))
    room = right - left - 1
    label = label if len(label) <= room - 4 else label[: max(room - 5, 0)] + "…"
    line = f" {label} ".center(room, dash)
    line = line[:-1] + "►" if target == right else "◄" + line[1:]
    row.put(left + 1, line, style)
