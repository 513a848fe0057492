"""`sipgw inspect`: what is in a capture, as tables, as JSON, and as sound."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sipgw.errors import SipgwError
from sipgw.tools.capture.document import as_json
from sipgw.tools.capture.model import Capture
from sipgw.tools.capture.reading import read
from sipgw.tools.capture.show import show
from sipgw.tools.capture.sound_out import write_wavs

_LONG_BYTES = 20_000_000
"""A file of that size takes a few seconds."""


@dataclass(frozen=True, slots=True)
class Question:
    """The command's arguments."""

    path: Path
    json: bool = False
    wav: Path | None = None
    call: str | None = None
    """Part of a Call-ID, or a number as the table counts."""
    keylog: Path | None = None
    """Secrets of its TLS connections."""


def inspect(question: Question) -> int:
    """Read and print; the exit code: 0 where no call has a problem, 1 where one has, 2 where nothing can be read."""
    console, errors = Console(), Console(stderr=True)
    try:
        capture = _chosen(_read(question.path, question.keylog, errors), question.call)
        if question.json:
            sys.stdout.write(as_json(capture) + "\n")
        else:
            show(capture, console)
        if question.wav is not None:
            _write(capture, question.wav, errors if question.json else console)
    except SipgwError as error:
        errors.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        return 2
    return 1 if any(call.problems for call in capture.calls) else 0


def _read(path: Path, keylog: Path | None, console: Console) -> Capture:
    """Read, with a bar where it takes long and somebody watches."""
    size = path.stat().st_size if path.is_file() else 0
    if size < _LONG_BYTES or not console.is_terminal:
        return read(path, keylog=keylog)
    columns = (TextColumn("reading"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=size)
        return read(path, lambda done: bar.update(task, completed=done), keylog)


def _chosen(capture: Capture, wanted: str | None) -> Capture:
    """The capture with only the calls that were asked for."""
    if wanted is None:
        return capture
    numbered = [call for number, call in enumerate(capture.calls, 1) if str(number) == wanted]
    calls = numbered or [call for call in capture.calls if wanted in call.call_id]
    if not calls:
        raise SipgwError(f"{capture.path} holds no call {wanted!r}; it holds {len(capture.calls)}")
    return replace(capture, calls=tuple(calls), streams=())


def _write(capture: Capture, folder: Path, console: Console) -> None:
    written = write_wavs(capture, folder)
    for path in written.files:
        console.print(f"sound is in {path}", highlight=False, soft_wrap=True)
    if written.not_decodable:
        console.print(f"not decodable here: {', '.join(written.not_decodable)}", highlight=False, soft_wrap=True)
