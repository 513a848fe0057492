"""The lines an SDP is made of (RFC 8866 section 5): splitting, grouping, printing in the order the grammar wants."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

LONGEST = 4096
"""Characters of a line that are read; what follows costs that line its end, and nothing else."""
MOST = 2000
"""Lines that are read; behind those only `m=` lines count, as an answer has one for each (RFC 3264 section 6)."""
MARK = "\ufeff"
_BLANK = " \t\0"
_ORDER = "mviuepcbtrzka"
"""The order of the lines of one section, without `o=` and `s=`, which follow `v=` (RFC 8866 section 9)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One `letter=value` line. A line of another shape has no letter and is its own value."""

    letter: str
    value: str

    def __str__(self) -> str:
        return f"{self.letter}={self.value}" if self.letter else self.value


@dataclass(frozen=True, slots=True)
class Attribute:
    """One `a=` line: a name alone (a flag) or `name:value`."""

    name: str
    """As it came; compare `key`, as some write `SendRecv`."""
    value: str | None = None

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the value of an `a=` line."""
        name, colon, value = text.partition(":")
        return cls(name.strip(), value.strip() if colon else None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a description or of one section of it."""

    lines: tuple[Line, ...]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Split a body at CRLF, LF or CR; empty lines, which some put at the end, are left out."""
        text = body.decode("utf-8", "surrogateescape").removeprefix(MARK).replace("\r", "\n")
        lines = [raw[:LONGEST] for raw in text.split("\n") if raw.strip(_BLANK)]
        further = [raw for raw in lines[MOST:] if raw.lstrip(_BLANK)[0] == "m"]
        return cls(tuple(map(_line, lines[:MOST] + further)))

    @classmethod
    def of(cls, others: Iterable[Line], address: str, attributes: Iterable[Attribute]) -> Self:
        """A section's lines in the order to print them."""
        lines = [*others, *(Line("a", str(attribute)) for attribute in attributes)]
        if address:
            lines.append(Line("c", f"IN {address_type(address)} {address}"))
        return cls(tuple(sorted(lines, key=_place)))

    def sections(self, letter: str) -> list["Lines"]:
        """What precedes the first line of that letter, then one section from each such line on."""
        starts = [i for i, line in enumerate(self.lines) if line.letter == letter]
        bounds = zip([0, *starts], [*starts, len(self.lines)], strict=True)
        return [Lines(self.lines[start:end]) for start, end in bounds]

    def first(self, letter: str) -> str:
        """The value of the first line of that letter, or the empty string."""
        return next((line.value for line in self.lines if line.letter == letter), "")

    def others(self, letters: str) -> tuple[Line, ...]:
        """The lines without those of `letters`, each of which is kept elsewhere (`m=` always is)."""
        return tuple(line for line in self.lines if not line.letter or line.letter not in letters + "m")

    def attributes(self) -> tuple[Attribute, ...]:
        """All `a=` lines, in order."""
        return tuple(Attribute.parse(line.value) for line in self.lines if line.letter == "a")

    def address(self) -> str:
        """The address of the first `c=` line that has one, without TTL and count; empty where none has."""
        addresses = (address_in(line.value) for line in self.lines if line.letter == "c")
        return next(filter(None, addresses), "")

    def joined(self, first: str) -> str:
        """As text, after the line or lines `first`, each ended by CRLF."""
        return "".join(f"{line}\r\n" for line in (first, *self.lines))


def address_in(connection: str) -> str:
    """The address in the value of a `c=` line, bare; empty where it has none."""
    words = connection.split()
    return words[2].partition("/")[0].strip("[]") if len(words) > 2 else ""


def number(text: str, largest: int) -> int | None:
    """A decimal number of at most `largest`; None where it is none."""
    readable = text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= largest
    return int(text) if readable else None


def address_type(address: str) -> str:
    """`IP4` or `IP6`."""
    return "IP6" if ":" in address else "IP4"


def _line(raw: str) -> Line:
    letter, equals, value = raw.strip(_BLANK).partition("=")
    if equals and len(letter.strip()) == 1:
        return Line(letter.strip(), value.strip())
    return Line("", raw)


def _place(line: Line) -> int:
    """Where in its section a line is printed; lines of no known letter come last."""
    return _ORDER.find(line.letter) if line.letter and line.letter in _ORDER else len(_ORDER)
