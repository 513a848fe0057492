"""What the payload types of an audio line mean (RFC 3551 section 6, RFC 8866 section 6.6)."""

from dataclasses import dataclass, replace
from typing import Self

from sipgw.errors import UsageError
from sipgw.sdp.lines import Attribute
from sipgw.sdp.model import Media

CLOCK_HZ = {"OPUS": 48_000, "G722": 8000, "PCMU": 8000, "PCMA": 8000, "L16": 16_000}
"""RTP clock of each codec we can negotiate."""
STATIC = {0: "PCMU", 8: "PCMA", 9: "G722"}
"""Payload types that need no rtpmap, of those we can negotiate."""
TELEPHONE_EVENT = "TELEPHONE-EVENT"

_CUSTOMARY = {"OPUS": 111, "L16": 118}
"""Payload types that many others use for what has no static one."""
_CHANNELS = {"OPUS": "2"}
"""What must stand in an rtpmap as channels where it is not mono; Opus has it whatever is sent (RFC 7587 section 7)."""
_WRITTEN = {"OPUS": "opus", TELEPHONE_EVENT: "telephone-event"}
_PARAMETERS = {
    # Mono, nothing above 12 kHz, and a loss may be mended from the packet behind it.
    "OPUS": "maxplaybackrate=24000;sprop-maxcapturerate=24000;stereo=0;useinbandfec=1",
    TELEPHONE_EVENT: "0-15",
}
"""What we ask of who sends to us (`a=fmtp`)."""
_LONGEST = 500
"""Characters of a far end's parameters that are kept."""


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type with its meaning."""

    payload_type: int
    name: str
    """Encoding name in upper case."""
    clock_hz: int
    parameters: str = ""
    """Of `a=fmtp`."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an rtpmap value such as `96 telephone-event/8000`; None where it makes no sense, or is for channels
        that we have no use for."""
        kind, encoding = [*text.split(maxsplit=1), "", ""][:2]
        name, clock, channels, *_ = [*(part.strip() for part in encoding.split("/")), "", ""]
        if not _small(kind) or not name or not _small(clock or "8000"):
            return None
        expected = _CHANNELS.get(name.upper())
        if channels != expected if expected else channels not in ("", "1"):
            return None
        return cls(int(kind), name.upper(), int(clock or 8000))

    @classmethod
    def ours(cls, payload_type: int, name: str, clock_hz: int) -> Self:
        """As we describe it."""
        return cls(payload_type, name, clock_hz, _PARAMETERS.get(name, ""))

    def attributes(self) -> list[Attribute]:
        """As it stands in SDP."""
        channels = f"/{_CHANNELS[self.name]}" if self.name in _CHANNELS else ""
        written = f"{self.payload_type} {_WRITTEN.get(self.name, self.name)}/{self.clock_hz}{channels}"
        fmtp = [Attribute("fmtp", f"{self.payload_type} {self.parameters}")] if self.parameters else []
        return [Attribute("rtpmap", written), *fmtp]


def formats_of(media: Media) -> list[Format]:
    """The payload types of a line that we can make sense of, in its order, each once."""
    mapped = {f.payload_type: f for f in map(Format.parse, reversed(media.values("rtpmap"))) if f}
    static = {number: Format(number, name, CLOCK_HZ[name]) for number, name in STATIC.items()}
    parameters = _parameters(media)
    known = static | mapped
    return [
        replace(known[number], parameters=parameters.get(number, ""))
        for number in dict.fromkeys(map(payload_type, media.formats))
        if number in known
    ]


def _parameters(media: Media) -> dict[int | None, str]:
    """Of each payload type; the first line for it counts."""
    lines = [value.strip().partition(" ") for value in reversed(media.values("fmtp"))]
    return {payload_type(kind): text.strip()[:_LONGEST] for kind, _, text in lines}


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


def usual_type(codec: str) -> int:
    """The payload type by which a codec of ours is offered: its static one, or one that is customary."""
    name = codec.upper()
    return next((number for number, static in STATIC.items() if static == name), _CUSTOMARY.get(name, 0))


def _small(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 6
