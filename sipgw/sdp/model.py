"""A session description as a value that parses and prints itself (RFC 8866).

Parsing takes what phones and carriers really send: bare LF, spaces where none belong, missing `s=` and `t=`, lines
nobody knows. What it does not understand it keeps. A line that makes no sense costs itself: an `m=` line is refused in
its place, a `c=` line is as if it were not there. `sdp/oddities.py` names what was put up with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sipgw.errors import PeerError
from sipgw.sdp.lines import Attribute, Line, Lines, address_type, number

_UNREADABLE = ("unreadable", "0", "RTP/AVP", "0")
"""What stands in for words that an `m=` line lacks, so that it can be refused in its place."""
_NOBODY = ["-", "0", "0", "IN", "IP4", "0.0.0.0"]
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the description, and which version of it this is (RFC 8866 section 5.2)."""

    session_id: str
    version: str
    address: str
    username: str = "-"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the value of an `o=` line; missing words, as media gateway controllers leave them out, get a value."""
        words = text.split()[:6]
        username, session_id, version, _, _, address = [*words, *_NOBODY[len(words) :]]
        return cls(session_id, version, address, username)

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} IN {address_type(self.address)} {self.address}"


def is_whole(words: Sequence[str]) -> bool:
    """Whether an `m=` line has all its words: kind, port, protocol and at least one format."""
    return len(words) >= len(_UNREADABLE)


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line with the lines under it (RFC 8866 section 5.14)."""

    kind: str
    """`audio`, `video`, `image` …, in lower case."""
    port: int
    """0 means that the stream is rejected or gone."""
    protocol: str
    """As it came; an answer repeats it."""
    formats: tuple[str, ...]
    """Payload types as they came, or whatever the protocol puts there."""
    address: str = ""
    """Of the `c=` line under it; empty where it has none."""
    attributes: tuple[Attribute, ...] = ()
    lines: tuple[Line, ...] = ()
    """Its other lines, in order."""
    port_count: int = 1

    @classmethod
    def parse(cls, text: str, under: Lines) -> Self:
        """Read the value of an `m=` line and the lines under it; one that makes no sense has port 0."""
        words = text.split()
        kind, port, protocol, *formats = (*words, *_UNREADABLE[len(words) :])
        first, _, count = port.partition("/")
        return cls(
            kind.lower(),
            (number(first, 65_535) or 0) if is_whole(words) else 0,
            protocol,
            tuple(formats),
            under.address(),
            under.attributes(),
            under.others("ca"),
            number(count, 65_535) or 1,
        )

    def value(self, name: str) -> str | None:
        """The value of its first attribute of that name; empty for a flag, None where it has none."""
        return next((a.value or "" for a in self.attributes if a.key == name), None)

    def values(self, name: str) -> list[str]:
        """The values of all its attributes of that name."""
        return [a.value or "" for a in self.attributes if a.key == name]

    def __str__(self) -> str:
        port = f"{self.port}/{self.port_count}" if self.port_count != 1 else str(self.port)
        first = f"m={self.kind} {port} {self.protocol} {' '.join(self.formats)}"
        return Lines.of(self.lines, self.address, self.attributes).joined(first)


@dataclass(frozen=True, slots=True)
class Sdp:
    """A session description."""

    origin: Origin
    address: str = ""
    """Of the session-level `c=` line; empty where it has none."""
    media: tuple[Media, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    name: str = "-"
    timing: str = "0 0"
    """The value of the first `t=` line."""
    lines: tuple[Line, ...] = ()
    """Its other session-level lines, in order."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a description.

        Raises:
            PeerError: 400: it does not begin with `v=0`.
        """
        session, *sections = Lines.parse(body).sections("m")
        if session.first("v") != "0":
            raise PeerError(400, "Unreadable SDP: it does not begin with v=0")
        return cls(
            Origin.parse(session.first("o")),
            session.address(),
            tuple(Media.parse(section.first("m"), section) for section in sections),
            session.attributes(),
            session.first("s") or "-",
            session.first("t") or "0 0",
            session.others("vosact"),
        )

    def address_of(self, media: Media) -> str:
        """Where `media` is to be sent: its own `c=` line or the session's."""
        return media.address or self.address

    def direction_of(self, media: Media) -> str:
        """The direction of `media`, or the session's, or `sendrecv` (RFC 8866 section 6.7)."""
        for attributes in (media.attributes, self.attributes):
            for attribute in attributes:
                if attribute.key in DIRECTIONS:
                    return attribute.key
        return "sendrecv"

    def __bytes__(self) -> bytes:
        first = f"v=0\r\no={self.origin}\r\ns={self.name}"
        others = (*self.lines, Line("t", self.timing))
        text = [Lines.of(others, self.address, self.attributes).joined(first), *map(str, self.media)]
        return "".join(text).encode("utf-8", "surrogateescape")
