"""A capture in the terminal: what is in the file, then each call with its streams and its problems."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from sipgw.tools.capture.codecs import BESIDE_SPEECH, readable
from sipgw.tools.capture.model import CallTrace, Capture, Key, Problem, Stream
from sipgw.tools.capture.places import place

_STYLES = {"answered": "green", "cancelled": "yellow", "refused": "red", "unanswered": "yellow"}


def show(capture: Capture, console: Console) -> None:
    """Print everything that was found."""
    console.print(_file_line(capture), highlight=False, soft_wrap=True)
    for problem in capture.problems:
        console.print(f"  [red]![/red] {escape(problem.sentence)}", highlight=False, soft_wrap=True)
    for number, call in enumerate(capture.calls, 1):
        console.print()
        show_call(call, console, f"call {number}")
    if capture.streams:
        console.print("\n[bold]RTP of no call in the capture[/bold]")
        _print_streams(capture.streams, console)


def show_call(call: CallTrace, console: Console, title: str) -> None:
    """Print one call."""
    style = _STYLES.get(call.outcome, "white")
    status = f", {call.status}" if call.status else ""
    parties = f"{_party(call.caller)} → {_party(call.callee)}"
    head = f"[bold]{title}[/bold]  {parties}  [{style}]{call.outcome}{status}[/{style}]"
    console.print(head, highlight=False, soft_wrap=True)
    console.print(f"  {_story(call)}", highlight=False, soft_wrap=True)
    console.print(f"  [dim]Call-ID {escape(call.call_id)}[/dim]", highlight=False, soft_wrap=True)
    if call.keys:
        console.print(f"  keys by INFO: {_digits(call.keys)}", highlight=False)
    _print_streams(call.streams, console)
    for problem in call.problems:
        console.print(_problem_line(problem, call.first), highlight=False, soft_wrap=True)


def _file_line(capture: Capture) -> str:
    began = datetime.fromtimestamp(max(min(capture.first, 4e9), 0), UTC)
    counts = [f"{count} {name}" for name, count in (*capture.requests.items(), *capture.responses.items())]
    sip = f"; SIP: {escape(', '.join(counts))}" if counts else ""
    length = f"{capture.last - capture.first:.1f} s"
    begun = f"{began:%Y-%m-%d %H:%M:%S} UTC"
    return f"[bold]{escape(capture.path.name)}[/bold]  {capture.packets} packets, {length} from {begun}{sip}"


def _story(call: CallTrace) -> str:
    """When what happened, in a line."""
    steps = [f"{sum(not m.repeated for m in call.messages)} messages"]
    if call.ringing_delay is not None:
        steps.append(f"ringing after {_seconds(call.ringing_delay)}")
    if call.answer_delay is not None:
        steps.append(f"answered after {_seconds(call.answer_delay)}")
    if call.ended is not None:
        since = call.ended - (call.answered if call.answered is not None else call.first)
        steps.append(f"ended by the {call.ended_by} {_seconds(since)} later")
    elif call.outcome == "answered":
        steps.append("its end is not in the capture")
    if call.retransmissions:
        steps.append(f"{call.retransmissions} repeated")
    return ", ".join(steps)


def _print_streams(streams: Sequence[Stream], console: Console) -> None:
    """Two lines a stream: they fit into a terminal of 80 columns."""
    for stream in streams:
        ptime = f" {stream.ptime_ms:g} ms" if stream.ptime_ms else ""
        codec = f"{readable(stream.codec)}{ptime}{', SRTP' if stream.encrypted else ''}"
        ends = f"{place(stream.source)} → {place(stream.destination)}"
        console.print(
            f"  {stream.sender or 'RTP':6}  {ends}  [cyan]{escape(codec)}[/cyan]", highlight=False, soft_wrap=True
        )
        console.print(f"          {', '.join(_figures(stream))}", highlight=False, soft_wrap=True)


def _figures(stream: Stream) -> Iterator[str]:
    yield f"{stream.packets} packets"
    if stream.missing:
        share = stream.missing / (stream.missing + stream.packets)
        yield f"[red]{stream.missing} lost ({share:.1%})[/red]"
    else:
        yield "none lost"
    for count, name in ((stream.duplicates, "twice"), (stream.reordered, "out of order")):
        if count:
            yield f"{count} {name}"
    if stream.codec not in BESIDE_SPEECH:
        yield f"jitter {stream.jitter_ms:.1f} ms (max {stream.max_jitter_ms:.1f})"
    if stream.mos is not None:
        yield f"MOS {stream.mos:.1f}"
    if stream.skew_ppm is not None:
        yield f"clock {stream.skew_ppm:+.0f} ppm"
    if stream.level_dbfs is not None:
        yield f"{stream.level_dbfs:.0f} dBFS"
    if stream.keys:
        yield f"keys {_digits(stream.keys)}"


def _problem_line(problem: Problem, began: float) -> str:
    return f"  [red]! {problem.when - began:8.3f} {problem.name}[/red]  {escape(problem.sentence)}"


def _party(uri: str) -> str:
    return escape(uri.partition(":")[2].partition(";")[0] or uri or "?")


def _digits(keys: Sequence[Key]) -> str:
    return escape("".join(key.digit for key in keys))


def _seconds(delay: float) -> str:
    return f"{delay * 1000:.0f} ms" if delay < 1 else f"{delay:.1f} s"
