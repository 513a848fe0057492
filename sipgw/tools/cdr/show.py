"""Records for people: a table of calls, and the whole story of one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sipgw.records.reading import Row, Story


def show_calls(found: Sequence[Row], console: Console) -> None:
    """A table, the newest first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for row in map(_printable, found):
        cells = (
            _clock(row["started"]), row["call"], row["caller"], row["called"], row["target"] or "-",
            _seconds(row["seconds"]) if row["answered"] else "-", row["cause"], _number(row["mos"], 1),
            _number(row["turn_p50_ms"], 0), row["hung_up_by"],
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    console.print(table)


_COLUMNS = ("began (UTC)", "call", "from", "to", "backend", "talked", "cause", "MOS", "turn ms", "ended by")
_NUMBERS = ("talked", "MOS", "turn ms")


def show_story(story: Story, console: Console) -> None:
    """All there is of one call."""
    story = Story(_printable(story.call), *(list(map(_printable, part)) for part in story.parts))
    call = story.call
    console.print(Text(f"{call['caller'] or '?'} → {call['called'] or '?'}", style="bold"), highlight=False)
    _pairs(_facts(call), console)
    _legs(story, console)
    if call["turns_ms"]:
        turns = ", ".join(map(str, call["turns_ms"]))
        console.print(f"\nturns     {turns} ms; half within {call['turn_p50_ms']}, 95 % within {call['turn_p95_ms']}")
    if story.recordings:
        console.print()
    for one in story.recordings:
        told = one["failure"] or f"sha256 {one['sha256'] or 'unknown'}"
        console.print(f"recording {one['path'] or '-'}, {_seconds(one['seconds'])}, {told}", markup=False)
    if story.utterances:
        console.print()
    for one in story.utterances:
        began = call["answered"] or call["started"]
        line = f"{(one['at'] - began).total_seconds():8.1f}  {one['who']:<7} {one['text']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _facts(call: Row) -> Iterable[tuple[str, str]]:
    yield "call", f"{call['call']}   SIP Call-ID {call['sip_call_id']}"
    way = [f"from {call['source']}", *(f"{name} {call[name]}" for name in ("trunk", "route") if call[name])]
    yield "way", ", ".join(way) + f", node {call['node']}"
    if call["caller_name"]:
        yield "name", call["caller_name"]
    yield from _carried(call)
    yield "began", _clock(call["started"])
    for name in ("ringing", "answered"):
        if call[name]:
            yield name, f"{_clock(call[name])}  (+{_seconds((call[name] - call['started']).total_seconds())})"
    yield "ended", f"{_clock(call['ended'])}  after {_seconds(call['seconds'])} by the {call['hung_up_by']}"
    yield "cause", f"{call['cause']}, SIP {call['status']}, Q.850 {call['q850']}" + _aside(call["reason"])
    if said := _said(call):
        yield "far end", said
    heard = [f"codec {call['codec']}"] if call["codec"] else []
    if call["first_audio_ms"] is not None:
        heard.append(f"first audio after {call['first_audio_ms']} ms")
    yield "sound", ", ".join((*heard, f"MOS {_number(call['mos'], 1)}", f"{call['digits']} keys"))


def _carried(call: Row) -> Iterable[tuple[str, str]]:
    """What the INVITE said of the caller and the way here."""
    if call["attestation_source"]:
        yield "attested", f"{call['attestation']}, by {call['attestation_source']}"
    if call["privacy"]:
        yield "privacy", call["privacy"]
    for one in call["carried"].get("diversions", ()):
        often = f", {one['counter']} times" if one["counter"] > 1 else ""
        yield "diverted", _visible(f"by {one['number']}: {one['reason']}{often}")
    for one in call["carried"].get("user_to_user", ()):
        yield "UUI", _visible(f"{one['data']} {one['encoding']}")
    for name, value in call["headers"].items():
        yield "header", _visible(f"{name}: {value}")


def _legs(story: Story, console: Console) -> None:
    console.print()
    for leg in story.legs:
        line = _LINES.get(leg["kind"], _backend_leg)(leg)
        console.print(f"leg {leg['number']}     {line}", markup=False, highlight=False, soft_wrap=True)


def _caller_leg(leg: Row) -> str:
    if leg["sent_packets"] is None:
        return f"caller {leg['name']}"
    text = (
        f"caller {leg['name']}: {leg['received_packets']} packets in, {leg['lost_packets']} lost, "
        f"jitter {leg['jitter_ms']} ms, MOS {_number(leg['mos'], 1)}; {leg['sent_packets']} out"
    )
    if leg["far_lost_packets"] is not None:
        text += f", {leg['far_lost_packets']} lost, MOS {_number(leg['far_mos'], 1)}"
    if leg["round_trip_ms"] is not None:
        text += f"; round trip {leg['round_trip_ms']} ms"
    if leg["srtp"]:
        text += f"; {leg['srtp']}"
    drops = ", ".join(f"{count} {reason}" for reason, count in sorted(leg["drops"].items()))
    return text + (f"; dropped {drops}" if drops else "")


def _backend_leg(leg: Row) -> str:
    began = leg["started"]
    steps = [f"tried {_clock(began)}"]
    if leg["connected_ms"] is not None:
        steps.append(f"connected in {leg['connected_ms']} ms")
    if leg["ready"]:
        steps.append(f"ready after {_seconds((leg['ready'] - began).total_seconds())}")
        steps.append(f"heard {_seconds(leg['heard_ms'] / 1000)}, said {_seconds(leg['said_ms'] / 1000)}")
    if leg["failure"]:
        steps.append(f"failed after {_seconds((leg['ended'] - began).total_seconds())}: {leg['failure']}")
    kind = f" ({leg['dialect']})" if leg["dialect"] else ""
    return f"{leg['name']}{kind}: " + ", ".join(steps)


def _replacement(leg: Row) -> str:
    return f"{leg['name']} took the caller's place {_clock(leg['started'])}, SIP Call-ID {leg['sip_call_id']}"


_LINES = {"caller": _caller_leg, "replacement": _replacement}


def _printable(row: Row) -> Row:
    """The row without characters that a terminal would obey: far ends call themselves what they like."""
    return {name: _visible(value) if isinstance(value, str) else value for name, value in row.items()}


def _visible(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def _pairs(pairs: Iterable[tuple[str, str]], console: Console) -> None:
    for name, value in pairs:
        console.print(f"{name:<9} {value}", markup=False, highlight=False, soft_wrap=True)


def _said(call: Row) -> str:
    """Why the far end ended the call, by its own word; empty where it said nothing."""
    codes = ((name, call[key]) for name, key in (("SIP", "far_status"), ("Q.850", "far_q850")))
    given = [f"{name} {code}" for name, code in codes if code is not None]
    return f"{', '.join(given)}{_aside(call['far_text'])}".strip()


def _aside(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _clock(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
