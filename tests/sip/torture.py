"""Loads the torture messages of RFC 4475 and RFC 5118 with what is expected of each."""

import csv
from dataclasses import dataclass

from tests.shared import shared


@dataclass(frozen=True, slots=True)
class Case:
    """One message and its row in EXPECTED.tsv."""

    name: str
    """The file's name without its ending, as the RFC calls the message."""
    data: bytes
    section: str
    kind: str
    """`valid`, `invalid`, `lenient`, `semantic` or `compat`."""
    verdict: str
    """`accept`, `reject`, `discard`, `lenient`, or empty where the row says it in words only."""
    expected: str


def messages(folder: str) -> list[Case]:
    """All cases of `rfc4475` or `rfc5118`; skips the test where the data is absent, so call it inside one."""
    home = shared(f"sip-torture/{folder}")
    files = {path.stem: path.read_bytes() for path in home.iterdir()}
    with (home / "EXPECTED.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Case(
            row["file"],
            files[row["file"]],
            row["rfc_section"],
            row["class"],
            row.get("parse") or "",
            row["expected_behaviour"],
        )
        for row in rows
    ]


def message(name: str, folder: str = "rfc4475") -> bytes:
    """The bytes of one message."""
    return next(case.data for case in messages(folder) if case.name == name)
