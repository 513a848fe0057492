"""Records for other programs: CSV with a row a call or a row a leg, or JSON lines with all there is of each call."""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import TextIO

import msgspec

from sipgw.records.reading import Row, Story
from sipgw.records.schema import calls, legs


class Form(Enum):
    """How records are written."""

    CSV = "csv"
    LEGS = "legs"
    """CSV, a row a leg."""
    JSONL = "jsonl"


Write = Callable[[Sequence[Story]], None]


def writer(form: Form, out: TextIO) -> Write:
    """What writes records to `out` as they come; the header of a table stands there at once."""
    if form is Form.JSONL:
        return lambda stories: out.writelines(f"{json_of(story.document())}\n" for story in stories)
    table = legs if form is Form.LEGS else calls
    rows = csv.DictWriter(out, [column.name for column in table.columns], lineterminator="\n")
    rows.writeheader()

    def write(stories: Sequence[Story]) -> None:
        for story in stories:
            rows.writerows(map(_flat, story.legs if form is Form.LEGS else [story.call]))

    return write


def json_of(row: Row) -> str:
    """One JSON text; times are RFC 3339, UTC."""
    return msgspec.json.encode(row).decode()


def _flat(row: Row) -> Row:
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case str() if value[:1] in "=+-@\t\r" and not value[1:].isdecimal() and value:
            # What a far end called itself must not run in a spreadsheet.
            return f"'{value}"
    return value
