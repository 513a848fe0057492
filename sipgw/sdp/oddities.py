"""Names what a description has that it should not have, and what was made of it all the same.

Reading it does not depend on this: who reads puts up with everything that is named here. It is for the trace, so that
whoever looks for the reason of silence, or writes to the maker of a phone, finds what was wrong.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import takewhile

from sipgw.sdp.formats import STATIC, Format, formats_of, payload_type
from sipgw.sdp.lines import LONGEST, MARK, MOST, address_in, number
from sipgw.sdp.model import Media, Sdp, is_whole

_SHOWN = 60
"""Characters of a line that are quoted."""
_SPACED = re.compile(r".(\s+=|=\s)")
_PORT = re.compile(r"\d+(/\d+)?")
_DYNAMIC = range(96, 128)
"""Payload types that mean nothing without an rtpmap (RFC 3551 section 6)."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that is odd."""

    name: str
    """Short snake_case name, for the trace."""
    detail: str = ""
    """The line, or what of it is odd."""
    ignored: bool = False
    """The line, or what is odd of it, was left out of account; else it was understood all the same."""


Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Given:
    """A description, from the bytes to what they were read as."""

    body: bytes
    lines: list[str]
    """As many as are looked at."""
    count: int
    """How many there are."""
    sdp: Sdp


_Look = Callable[[_Given], Found]


def oddities(body: bytes, sdp: Sdp) -> list[Oddity]:
    """What is odd about `body`, which was read as `sdp`: each name once, the first that has it quoted."""
    found: dict[str, Oddity] = {}
    lines = re.split(r"\r\n|\n|\r", body.decode("utf-8", "backslashreplace"))
    given = _Given(body, lines[:MOST], len(lines), sdp)
    for ignored, look in _LOOKS:
        for name, detail in look(given):
            found.setdefault(name, Oddity(name, _quoted(detail), ignored))
    return list(found.values())


def _of_the_text(given: _Given) -> Found:
    try:
        given.body.decode()
    except UnicodeDecodeError as error:
        yield "not_utf8", repr(given.body[error.start : error.start + 20])
    if given.lines[0].startswith(MARK):
        yield "byte_order_mark", ""
    if re.search(rb"(?<!\r)\n|\r(?!\n)", given.body):
        yield "bare_line_end", ""
    for line in given.lines[:-1]:
        if not line.strip():
            yield "empty_line", ""
        elif line != line.strip() or _SPACED.match(line):
            yield "stray_space", line


def _missing(given: _Given) -> Found:
    """RFC 8866 section 5: each of these is there once."""
    letters = set(takewhile("m".__ne__, (line.partition("=")[0].strip() for line in given.lines)))
    yield from ((f"no_{letter}_line", "") for letter in "ost" if letter not in letters)


def _too_much(given: _Given) -> Found:
    if given.count > MOST:
        yield "too_many_lines", str(given.count)
    yield from (("long_line", line) for line in given.lines if len(line) > LONGEST)


def _unreadable(given: _Given) -> Found:
    for line in filter(str.strip, given.lines):
        letter, equals, value = (part.strip() for part in line.removeprefix(MARK).partition("="))
        if not equals or len(letter) != 1:
            yield "no_line", line
        elif letter == "c" and not _is_address(address_in(value)):
            yield "unreadable_address", line
        elif letter == "m" and not _is_media(value.split()):
            yield "unreadable_media", line


def _audio(look: Callable[[Media], Found]) -> _Look:
    """`look` at each line of audio."""

    def each(given: _Given) -> Found:
        for media in given.sdp.media:
            if media.kind == "audio" and media.port:
                yield from look(media)

    return each


def _types(media: Media) -> Found:
    """Payload types that are none, or that nobody can know."""
    mapped = {payload_type(value.partition(" ")[0]) for value in media.values("rtpmap")}
    for text in media.formats:
        kind = payload_type(text)
        if kind is None:
            yield "no_payload_type", text
        elif kind in _DYNAMIC and kind not in mapped:
            yield "type_without_rtpmap", text
    for value in media.values("rtpmap"):
        kind = payload_type(value.partition(" ")[0])
        if kind is None or (Format.parse(value) is None and value.count("/") < 2):
            yield "unreadable_rtpmap", value


def _repeated(media: Media) -> Found:
    """What is said twice: the first counts."""
    types = [value.partition(" ")[0] for value in media.values("rtpmap")]
    for name, given in (("rtpmap_repeated", types), ("type_repeated", list(media.formats))):
        if len(set(given)) != len(given):
            yield name, " ".join(given)


def _moved(media: Media) -> Found:
    for found in formats_of(media):
        if STATIC.get(found.payload_type, found.name) != found.name:
            yield "static_type_moved", f"{found.payload_type} {found.name}"


def _numbers(media: Media) -> Found:
    """Attributes with a number that is none."""
    for name in ("ptime", "maxptime"):
        for value in media.values(name):
            if number(value, 10_000) is None:
                yield f"unreadable_{name}", value
    for value in media.values("rtcp"):
        words = value.split()
        if not words or not number(words[0], 65_535):
            yield "unreadable_rtcp", value


_LOOKS: tuple[tuple[bool, _Look], ...] = (
    (False, _of_the_text),
    (False, _missing),
    (True, _too_much),
    (True, _unreadable),
    (True, _audio(_types)),
    (True, _audio(_repeated)),
    (False, _audio(_moved)),
    (True, _audio(_numbers)),
)
"""What to look at, and whether what is found there was left out of account."""


def _is_media(words: list[str]) -> bool:
    port = words[1].partition("/")[0] if is_whole(words) else ""
    return number(port, 65_535) is not None and bool(_PORT.fullmatch(words[1]))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
