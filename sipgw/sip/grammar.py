"""The lexical rules that every SIP header shares (RFC 3261 section 25.1).

Every pattern here runs in linear time on any text: repetitions are possessive, and an open quote or bracket swallows
the rest instead of being tried again from the next character.
"""

import re
from typing import Final, NoReturn

from sipgw.errors import PeerError

TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]++")
WHITESPACE: Final = " \t\r\n"

MAX_31_BIT: Final = 2**31 - 1
"""Largest CSeq number (RFC 3261 section 8.1.1.5)."""
MAX_32_BIT: Final = 2**32 - 1
"""Largest delta-seconds (RFC 3261 section 20.19)."""

_QUOTED_OR_BRACKETED_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+"?|<[^>]*+>?|,', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MUST_ESCAPE = re.compile(r'["\\]')


class Latin1(str):
    """Text of a header line that was not UTF-8; it is printed again in the bytes it came in."""

    __slots__ = ()


def decode(line: bytes) -> str:
    """Text of a line: UTF-8, else ISO 8859-1, which some phones still send in display names."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return Latin1(line, "latin-1")


def encode(text: str) -> bytes:
    """The bytes of a line, as they came where it came from a peer."""
    return text.encode("latin-1" if type(text) is Latin1 else "utf-8", "replace")


def bad(what: str) -> NoReturn:
    """Refuse what a peer sent.

    Raises:
        PeerError: always, with 400.
    """
    raise PeerError(400, f"Bad {what}")


def is_token(text: str) -> bool:
    """Whether the text is one token (RFC 3261 section 25.1)."""
    return TOKEN.fullmatch(text) is not None


def number(text: str, limit: int, what: str) -> int:
    """A whole number from 0 to `limit`, leading zeros allowed.

    Raises:
        PeerError: 400 where it is anything else; digits of other scripts are no digits here.
    """
    digits = text.strip(WHITESPACE)
    if not (digits.isascii() and digits.isdigit()):
        bad(what)
    # Compared by length first: turning thousands of digits into an int is slow, and beyond 4,300 an error.
    significant = digits.lstrip("0") or "0"
    if len(significant) > 10 or int(significant) > limit:
        bad(what)
    return int(significant)


def split_list(text: str) -> list[str]:
    """The items of a comma-joined list; commas in quotes and angle brackets do not count, empty items are left out."""
    if "," not in text:
        items = [text]
    elif '"' not in text and "<" not in text:
        items = text.split(",")
    else:
        items = _split_carefully(text)
    return [item for item in (item.strip(WHITESPACE) for item in items) if item]


def _split_carefully(text: str) -> list[str]:
    commas = [found.start() for found in _QUOTED_OR_BRACKETED_OR_COMMA.finditer(text) if found[0] == ","]
    starts = [0, *(comma + 1 for comma in commas)]
    return [text[start:end] for start, end in zip(starts, [*commas, len(text)], strict=True)]


def quote(text: str) -> str:
    """The text as a quoted string."""
    return '"' + _MUST_ESCAPE.sub(r"\\\g<0>", text) + '"'


def unquote(text: str) -> str:
    """What a quoted string says; text without quotes as it is."""
    if len(text) > 1 and text[0] == '"' == text[-1]:
        return unescape(text[1:-1])
    return text


def unescape(inner: str) -> str:
    """The inside of a quoted string with its backslashes resolved."""
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
