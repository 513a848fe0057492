"""Shows what a replay did: as ladder and facts in the terminal, or as JSON."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sipgw.tools.ladder.draw import Step, print_ladder
from sipgw.tools.ladder.of_capture import Ladder
from sipgw.tools.replay.expectation import Difference, counters
from sipgw.tools.replay.fingerprint import Fingerprint
from sipgw.tools.replay.outcome import CALLER, GATEWAY, CallOutcome, Flight, Outcome

AI = "AI"


def steps(call: CallOutcome) -> Iterator[Step]:
    """The rungs of one call."""
    for message in call.messages:
        ways = (CALLER, GATEWAY) if message.by_caller else (GATEWAY, CALLER)
        yield Step(message.when, *ways, message.label, detail=message.data.decode("utf-8", "replace"))
    codec = call.record.codec if call.record is not None else ""
    for flight, ways in ((call.said, (CALLER, GATEWAY)), (call.heard, (GATEWAY, CALLER))):
        if flight is not None:
            yield Step(flight.first, *ways, f"{flight.packets} packets {codec}", media=True, until=flight.last)
    for event in call.events:
        ways = (GATEWAY, AI) if event.to_ai else (AI, GATEWAY)
        text = f"{event.name} {event.about}".strip()
        yield Step(event.when, *ways, f"{text}, {event.seconds:.2f} s" if event.seconds else text)


def ladder_of(call: CallOutcome) -> Ladder:
    """One call as a page draws it."""
    title = f"{call.caller or '?'} calls {call.called or '?'}"
    return Ladder(title, call.call_id, (CALLER, GATEWAY, AI), tuple(steps(call)), tuple(_facts(call).items()))


def show(outcome: Outcome, cpu_seconds: float, console: Console) -> None:
    """Print everything."""
    for call in outcome.calls:
        console.print(Text(f"{call.caller or '?'} calls {call.called or '?'}  ({call.call_id})", style="bold"))
        print_ladder((CALLER, GATEWAY, AI), steps(call), console)
        console.print()
        console.print(_table(_facts(call)))
        console.print()
    rows = {"dropped": _counts(outcome.drops), "time": _pace(outcome.seconds, cpu_seconds)}
    console.print(_table(rows))
    for warning in outcome.warnings:
        console.print(Text(warning, style="yellow"), soft_wrap=True)


def show_differences(differences: list[Difference], console: Console) -> None:
    """Print what is not as expected, or that everything is."""
    if not differences:
        console.print(Text("as expected", style="green"))
    for one in differences:
        console.print(Text(f"✗ {one.where}: {one.what}", style="red bold"), soft_wrap=True)
        console.print(Text(f"    expected  {one.expected}"), soft_wrap=True)
        console.print(Text(f"    got       {one.got}"), soft_wrap=True)


def as_json(outcome: Outcome, cpu_seconds: float, differences: list[Difference] | None) -> dict[str, Any]:
    """Everything as plain data. `cpu_seconds` alone differs from run to run."""
    trace = "\n".join(f"{note.when:.6f} {note.call} {note}" for note in outcome.notes)
    plain: dict[str, Any] = {
        "calls": [_call_as_json(call) for call in outcome.calls],
        "drops": dict(outcome.drops),
        "simulated_seconds": round(outcome.seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "trace_sha256": hashlib.sha256(trace.encode()).hexdigest(),
        "warnings": list(outcome.warnings),
    }
    if differences is not None:
        plain["differences"] = [
            {"where": one.where, "what": one.what, "expected": one.expected, "got": one.got} for one in differences
        ]
    return plain


def _call_as_json(call: CallOutcome) -> dict[str, Any]:
    record = call.record
    return {
        "call_id": call.call_id,
        "caller": call.caller,
        "called": call.called,
        "cause": record.cause if record is not None else None,
        "status": record.status if record is not None else None,
        "target": record.target if record is not None else "",
        "codec": record.codec if record is not None else "",
        "seconds": round(record.seconds, 3) if record is not None else None,
        "ladder": [
            {"when": round(m.when, 6), "from": CALLER if m.by_caller else GATEWAY, "message": m.label}
            for m in call.messages
        ],
        "digits": call.digits,
        "ai_events": [
            {
                "when": round(e.when, 6),
                "to_ai": e.to_ai,
                "name": e.name,
                "about": e.about,
                "seconds": round(e.seconds, 3),
            }
            for e in call.events
        ],
        "turns_ms": list(record.turns_ms) if record is not None else [],
        "stats": counters(call),
        "rtp_from_caller": _flight(call.said),
        "rtp_to_caller": _flight(call.heard),
        "ai_heard": _sound(call.ai_heard),
        "caller_heard": _sound(call.caller_heard),
        "left_out": dict(call.left_out),
    }


def _flight(flight: Flight | None) -> dict[str, float] | None:
    if flight is None:
        return None
    return {"first": round(flight.first, 6), "last": round(flight.last, 6), "packets": flight.packets}


def _sound(heard: Fingerprint) -> dict[str, Any]:
    return {"seconds": heard.seconds, "levels_dbfs": heard.levels_dbfs, "centroids_hz": heard.centroids_hz}


def _facts(call: CallOutcome) -> dict[str, str]:
    record = call.record
    if record is None:
        return {"ended": "no: it was still up"}
    facts = {
        "ended": f"{record.cause}, by the {record.hung_up_by}, after {record.seconds:.2f} s"
        + (f" ({record.reason})" if record.reason else ""),
        "taken by": ", ".join(one.target + (f" ({one.failure})" if one.failure else "") for one in record.targets),
        "keys": call.digits or "none",
        "the AI heard": _heard(call.ai_heard),
        "the caller heard": _heard(call.caller_heard),
        "counters": _counts({name: value for name, value in counters(call).items() if value}),
        "left out": _counts(call.left_out),
    }
    if record.turns_ms:
        facts["turns"] = ", ".join(f"{ms} ms" for ms in record.turns_ms)
    return facts


def _heard(sound: Fingerprint) -> str:
    loud = [level for level in sound.levels_dbfs if level > -45]
    if not loud:
        return f"{sound.seconds:.2f} s of silence"
    return f"{sound.seconds:.2f} s, {len(loud) / 10:.1f} s of it sound, {round(sum(loud) / len(loud))} dBFS"


def _counts(counts: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in counts.items() if value is not None) or "nothing"


def _pace(seconds: float, cpu_seconds: float) -> str:
    times = f", {seconds / cpu_seconds:.0f} times as fast as it was" if cpu_seconds > 0 else ""
    return f"{seconds:.2f} s simulated in {cpu_seconds:.2f} s of CPU{times}"


def _table(rows: Mapping[str, str]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    return table
