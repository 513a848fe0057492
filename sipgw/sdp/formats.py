"""What the payload types of an audio line mean (RFC 3551 section 6, RFC 8866 section 6.6)."""

from dataclasses import dataclass
from typing import Self

from sipgw.errors import UsageError
from sipgw.sdp.model import Media

CLOCK_HZ = {"PCMU": 8000, "PCMA": 8000}
"""RTP clock of each codec we can negotiate."""
STATIC = {0: "PCMU", 8: "PCMA"}
"""Payload types that need no rtpmap, of those we can negotiate."""
TELEPHONE_EVENT = "TELEPHONE-EVENT"


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type with its meaning."""

    payload_type: int
    name: str
    """Encoding name in upper case."""
    clock_hz: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an rtpmap value such as `96 telephone-event/8000`; None where it makes no sense or is not mono."""
        kind, encoding = [*text.split(maxsplit=1), "", ""][:2]
        name, clock, channels, *_ = [*(part.strip() for part in encoding.split("/")), "", ""]
        if not _small(kind) or not name or not _small(clock or "8000") or channels not in ("", "1"):
            return None
        return cls(int(kind), name.upper(), int(clock or 8000))


def formats_of(media: Media) -> list[Format]:
    """The payload types of a line that we can make sense of, in its order, each once."""
    mapped = {f.payload_type: f for f in map(Format.parse, reversed(media.values("rtpmap"))) if f}
    static = {number: Format(number, name, CLOCK_HZ[name]) for number, name in STATIC.items()}
    known = static | mapped
    return [known[number] for number in dict.fromkeys(map(payload_type, media.formats)) if number in known]


def payload_type(text: str) -> int | None:
    """One format of an `m=` line as a payload type, which has 7 bits; None where it is none."""
    return int(text) if _small(text) and int(text) < 128 else None


def types_of(formats: list[Format], name: str, clock_hz: int) -> tuple[int, ...]:
    """The payload types that mean this encoding at this clock, in order."""
    return tuple(f.payload_type for f in formats if f.name == name.upper() and f.clock_hz == clock_hz)


def clock_of(codec: str) -> int:
    """RTP clock of a codec of ours.

    Raises:
        UsageError: we have no such codec.
    """
    if codec.upper() not in CLOCK_HZ:
        raise UsageError(f"no codec {codec!r} in SDP")
    return CLOCK_HZ[codec.upper()]


def static_type(codec: str) -> int:
    """The static payload type of a codec of ours."""
    return next(number for number, name in STATIC.items() if name == codec.upper())


def _small(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 6
