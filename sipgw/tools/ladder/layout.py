"""Where on a page everything of a ladder goes, in pixels. Pure.

One time axis for all: what happens later is further down. Distances grow with the logarithm of the time between, so
that a millisecond can be seen and an hour does not take the whole page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

from sipgw.tools.ladder.draw import Step
from sipgw.tools.ladder.of_capture import Ladder

_MARGIN, _TOP, _BOTTOM = 110, 64, 40
_APART = {1: 560, 2: 560, 3: 330}
_NARROW = 230
_SHORTEST_BAND = 30
_RUNG, _MOST_PAUSE, _PAUSE = 34, 90, 1.0
_BAND_GAP = 10


@dataclass(frozen=True, slots=True)
class Rung:
    """One box of the page."""

    kind: str
    """Its classes: `right`, `left`, `note`, `span`, and `problem`."""
    label: str
    x: int
    y: int
    width: int
    height: int
    """0 where it is as high as a line."""
    step: Step


@dataclass(frozen=True, slots=True)
class Layout:
    """A ladder in pixels."""

    width: int
    height: int
    columns: tuple[tuple[str, int], ...]
    times: tuple[tuple[int, str], ...]
    gaps: tuple[tuple[int, str], ...]
    """Pauses worth naming."""
    spans: tuple[Rung, ...]
    rungs: tuple[Rung, ...]


def lay_out(ladder: Ladder) -> Layout:
    """Place everything."""
    steps = sorted(ladder.steps, key=lambda step: step.when)
    apart = _APART.get(len(ladder.parties), _NARROW)
    columns = {party: _MARGIN + 90 + number * apart for number, party in enumerate(ladder.parties)}
    axis = _Axis(steps)
    spans = tuple(_spans([step for step in steps if step.until is not None], columns, axis))
    rungs = tuple(_rung(step, axis.rows[number], columns) for number, step in enumerate(steps) if step.until is None)
    width = max(columns.values(), default=0) + 190
    return Layout(width, axis.height, tuple(columns.items()), tuple(axis.times), tuple(axis.gaps), spans, rungs)


class _Axis:
    """The time axis: a row for each step, and a place for each end of a span."""

    def __init__(self, steps: list[Step]) -> None:
        self.rows: dict[int, int] = {}
        self._places: dict[float, int] = {}
        self.times: list[tuple[int, str]] = []
        self.gaps: list[tuple[int, str]] = []
        moments = [(step.when, 0, number) for number, step in enumerate(steps)]
        moments += [(step.until, 1, number) for number, step in enumerate(steps) if step.until is not None]
        y, before, beside = _TOP, None, False
        for when, end, number in sorted(moments):
            is_span = steps[number].until is not None
            # Streams that begin or end in the same moment do so side by side.
            if before is not None and not (is_span and beside and f"{when:.3f}" == f"{before:.3f}"):
                y += self._pace(when - before, y)
            beside = is_span
            if end or steps[number].until is not None:
                y = self._place_end(when, y)
            if not end:
                self.rows[number] = y
            if before is None or f"{when:.3f}" != f"{before:.3f}":
                self.times.append((y, f"{when:.3f}"))
            before = when
        self.height = y + _BOTTOM

    def _pace(self, passed: float, y: int) -> int:
        """How much further down something is that comes so much later."""
        pause = min(round(14 * log2(1 + passed * 8)), _MOST_PAUSE)
        if passed >= _PAUSE:
            self.gaps.append((y + (_RUNG + pause) // 2, f"{passed:.1f} s"))
        return _RUNG + pause

    def _place_end(self, when: float, y: int) -> int:
        self._places.setdefault(when, y)
        return y

    def of(self, when: float) -> int:
        """The place of a span's end."""
        return self._places[when]


def _rung(step: Step, y: int, columns: dict[str, int]) -> Rung:
    source, target = columns[step.source], columns[step.target]
    problem = " problem" if step.problem else ""
    if source == target:
        return Rung(f"note{problem}", step.label, source + 10, y, 420, 0, step)
    way = ("right" if target > source else "left") + (" media" if step.media else "")
    return Rung(f"{way}{problem}", step.label, min(source, target), y, abs(target - source), 0, step)


def _spans(steps: list[Step], columns: dict[str, int], axis: _Axis) -> Iterator[Rung]:
    """Bands that share the room between their parties."""
    lanes = _Lanes(steps)
    for number, step in enumerate(steps):
        source, target = columns[step.source], columns[step.target]
        left, room = min(source, target), max(abs(target - source), _NARROW)
        lane, count = lanes.of(number, step)
        width = (room - _BAND_GAP) // count - _BAND_GAP
        until = step.until if step.until is not None else step.when
        arrow = "→" if target > source else "←" if target < source else "↺"
        top = axis.of(step.when)
        yield Rung(
            kind=f"span {'out' if target > source else 'in'}",
            label=f"{arrow} {step.label}, {until - step.when:.2f} s",
            x=left + _BAND_GAP + lane * (width + _BAND_GAP),
            y=top,
            width=width,
            height=max(axis.of(until) - top, _SHORTEST_BAND),
            step=step,
        )


class _Lanes:
    """Which of those between the same two parties run beside each other."""

    def __init__(self, steps: list[Step]) -> None:
        self._taken: dict[frozenset[str], list[float]] = {}
        self._lane: list[int] = []
        for step in steps:
            ends = self._taken.setdefault(frozenset((step.source, step.target)), [])
            lane = next((place for place, end in enumerate(ends) if end <= step.when), len(ends))
            ends[lane : lane + 1] = [step.until if step.until is not None else step.when]
            self._lane.append(lane)

    def of(self, number: int, step: Step) -> tuple[int, int]:
        """The lane of a span, and how many there are."""
        return self._lane[number], len(self._taken[frozenset((step.source, step.target))])
