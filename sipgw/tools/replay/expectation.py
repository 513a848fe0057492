"""What a replay is expected to show, as a file of its own beside the capture, and how what it showed differs.

The ladder (who sent what, in which order, without times), keys, AI events and causes have to be the same. Counters and
sounds may differ by the file's own tolerances.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import msgspec
import yaml

from sipgw.errors import SipgwError
from sipgw.tools.replay.fingerprint import Fingerprint
from sipgw.tools.replay.outcome import CallOutcome, Outcome

FORMAT = 1
_HEAD = """\
# What `sipgw replay {capture}` is expected to show. Made by --write-expect, checked by --expect.
# Sounds: level (dBFS) and spectral centroid (Hz) of each 100 ms; likeness is from 0 to 1.
"""


class ExpectationError(SipgwError):
    """A file that cannot be used; the message says why."""


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may differ."""

    packets: int = 3
    ms: float = 40.0
    likeness: float = 0.85
    """Least likeness of sounds."""


class Sound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fingerprint, written in one line each."""

    seconds: float
    levels_dbfs: str
    centroids_hz: str

    @classmethod
    def of(cls, heard: Fingerprint) -> "Sound":
        """As it is written."""
        return cls(heard.seconds, " ".join(map(str, heard.levels_dbfs)), " ".join(map(str, heard.centroids_hz)))

    def fingerprint(self) -> Fingerprint:
        """As it is compared. Raises ValueError where it is no list of numbers."""
        levels, centroids = self.levels_dbfs.split(), self.centroids_hz.split()
        if len(levels) != len(centroids):
            raise ValueError("a sound has as many levels as centroids")
        return Fingerprint(self.seconds, tuple(map(int, levels)), tuple(map(int, centroids)))


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one call."""

    call_id: str
    cause: str
    ladder: list[str]
    digits: str
    ai_events: list[str]
    stats: dict[str, float | None]
    ai_heard: Sound
    caller_heard: Sound
    left_out: dict[str, int] = {}

    @classmethod
    def of(cls, call: CallOutcome) -> "Expected":
        """What one call showed."""
        return cls(
            call.call_id,
            call.record.cause if call.record is not None else "still up",
            [str(message) for message in call.messages],
            call.digits,
            [str(event) for event in call.events],
            counters(call),
            Sound.of(call.ai_heard),
            Sound.of(call.caller_heard),
            dict(call.left_out),
        )


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a capture."""

    format: int
    capture: str
    """The capture's file, seen from this one's folder."""
    calls: list[Expected]
    drops: dict[str, int]
    backend: str | None = None
    """What took the calls, where it was not the configuration's choice."""
    route: str | None = None
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as expected."""

    where: str
    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  expected  {self.expected}\n  got       {self.got}"


def counters(call: CallOutcome) -> dict[str, float | None]:
    """The counters that are compared."""
    stats = call.record.stats if call.record is not None else None
    if stats is None:
        return {}
    return {
        "sent_packets": stats.sent_packets,
        "received_packets": stats.received_packets,
        "lost_packets": stats.lost_packets,
        "late_packets": stats.late_packets,
        "jitter_ms": round(stats.jitter_ms, 1),
        "concealed_ms": stats.concealed_ms,
        "filled_ms": stats.filled_ms,
        "first_audio_ms": stats.first_audio_ms,
    }


def write(path: Path, capture: Path, outcome: Outcome, backend: str | None, route: str | None) -> None:
    """Write what a replay showed as what is expected from now on.

    Raises:
        ExpectationError: it cannot be written.
    """
    named = _seen_from(path, capture)
    made = Expectation(
        FORMAT, named, [Expected.of(call) for call in outcome.calls], dict(outcome.drops), backend, route
    )
    text = yaml.safe_dump(msgspec.to_builtins(made), sort_keys=False, allow_unicode=True, width=100_000)
    try:
        path.write_text(_HEAD.format(capture=named) + text, encoding="utf-8")
    except OSError as error:
        raise ExpectationError(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path) -> Expectation:
    """The expectation in a file.

    Raises:
        ExpectationError: it cannot be read, or is something else.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = msgspec.convert(data, Expectation)
        for call in found.calls:
            call.ai_heard.fingerprint(), call.caller_heard.fingerprint()
    except OSError as error:
        raise ExpectationError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, msgspec.ValidationError, ValueError) as error:
        raise ExpectationError(f"{path} is no expectation of a replay: {error}") from None
    if found.format != FORMAT:
        raise ExpectationError(f"{path} has format {found.format}, not {FORMAT}; write it anew")
    return found


def compare(expected: Expectation, outcome: Outcome) -> list[Difference]:
    """Everything that is not as expected."""
    found = list(_listed("calls", [one.call_id for one in expected.calls], [one.call_id for one in outcome.calls]))
    calls = {call.call_id: call for call in outcome.calls}
    for one in expected.calls:
        if one.call_id in calls:
            found += _call(one, calls[one.call_id], expected.tolerance)
    found += _counted("drops", expected.drops, outcome.drops, expected.tolerance)
    return found


def _call(expected: Expected, call: CallOutcome, tolerance: Tolerance) -> Iterator[Difference]:
    got = Expected.of(call)
    at = f"call {expected.call_id}"
    yield from _listed(f"{at}, ladder", expected.ladder, got.ladder)
    yield from _same(f"{at}, cause", expected.cause, got.cause)
    yield from _same(f"{at}, digits", expected.digits or "none", got.digits or "none")
    yield from _listed(f"{at}, AI events", expected.ai_events, got.ai_events)
    yield from _counted(f"{at}, stats", expected.stats, got.stats, tolerance)
    yield from _counted(f"{at}, left out", expected.left_out, got.left_out, tolerance)
    yield from _sound(f"{at}, what the AI heard", expected.ai_heard, call.ai_heard, tolerance)
    yield from _sound(f"{at}, what the caller heard", expected.caller_heard, call.caller_heard, tolerance)


def _same(where: str, expected: str, got: str) -> Iterator[Difference]:
    if expected != got:
        yield Difference(where, "differs", expected, got)


def _listed(where: str, expected: Sequence[str], got: Sequence[str]) -> Iterator[Difference]:
    """Lists, place by place: what is missing, what is new, what stands there instead."""
    for tag, start, end, from_, to in SequenceMatcher(None, expected, got, autojunk=False).get_opcodes():
        if tag != "equal":
            what = {"delete": "missing", "insert": "not expected", "replace": "differs"}[tag]
            place = f"{where}, line {start + 1}"
            yield Difference(place, what, _joined(expected[start:end]), _joined(got[from_:to]))


def _joined(lines: Sequence[str]) -> str:
    return " | ".join(lines) or "(nothing)"


def _counted(
    where: str, expected: Mapping[str, float | None], got: Mapping[str, float | None], tolerance: Tolerance
) -> Iterator[Difference]:
    for name in sorted({*expected, *got}):
        first, second = expected.get(name), got.get(name)
        limit = tolerance.ms if name.endswith("_ms") else tolerance.packets
        if first != second and (first is None or second is None or abs(first - second) > limit):
            yield Difference(f"{where}, {name}", f"differs by more than {limit:g}", _text(first), _text(second))


def _text(value: float | None) -> str:
    return "(nothing)" if value is None else f"{value:g}"


def _sound(where: str, expected: Sound, got: Fingerprint, tolerance: Tolerance) -> Iterator[Difference]:
    if abs(expected.seconds - got.seconds) * 1000 > tolerance.ms:
        yield Difference(where, "lasts differently", f"{expected.seconds:g} s", f"{got.seconds:g} s")
    likeness = expected.fingerprint().likeness(got)
    if likeness < tolerance.likeness:
        yield Difference(where, "sounds different", f"likeness {tolerance.likeness:g} or more", f"{likeness:.2f}")


def _seen_from(path: Path, capture: Path) -> str:
    """The capture as it is found from the expectation's folder."""
    folder, whole = path.resolve().parent, capture.resolve()
    return whole.name if whole.parent == folder else str(whole)
