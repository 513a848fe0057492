"""What payload types mean in captures of anyone: more codecs than we speak (RFC 3551 section 6)."""

from typing import NamedTuple

from sipgw.sdp.model import Media

TELEPHONE_EVENT, COMFORT_NOISE = "TELEPHONE-EVENT", "CN"
BESIDE_SPEECH = (TELEPHONE_EVENT, COMFORT_NOISE)


class Meaning(NamedTuple):
    """What a payload type stands for."""

    name: str
    """Encoding name in upper case."""
    clock_hz: int
    """Units a second of its timestamps; 0 where that is not known."""


STATIC = {
    0: Meaning("PCMU", 8000),
    3: Meaning("GSM", 8000),
    4: Meaning("G723", 8000),
    5: Meaning("DVI4", 8000),
    6: Meaning("DVI4", 16_000),
    7: Meaning("LPC", 8000),
    8: Meaning("PCMA", 8000),
    9: Meaning("G722", 8000),  # 16 kHz of sound, but 8000 units a second, by an old mistake (RFC 3551 section 4.5.2)
    10: Meaning("L16", 44_100),
    11: Meaning("L16", 44_100),
    12: Meaning("QCELP", 8000),
    13: Meaning(COMFORT_NOISE, 8000),
    14: Meaning("MPA", 90_000),
    15: Meaning("G728", 8000),
    16: Meaning("DVI4", 11_025),
    17: Meaning("DVI4", 22_050),
    18: Meaning("G729", 8000),
    26: Meaning("JPEG", 90_000),
    31: Meaning("H261", 90_000),
    34: Meaning("H263", 90_000),
}
"""Payload types that need no description."""


def meanings_of(media: Media) -> dict[int, Meaning]:
    """What the payload types of a media line mean, in its order; those that make no sense are left out."""
    mapped = dict(filter(None, map(_mapped, reversed(media.values("rtpmap")))))
    known = STATIC | mapped
    numbers = [int(text) for text in media.formats if text.isascii() and text.isdecimal() and len(text) < 4]
    return {number: known[number] for number in numbers if number in known}


def _mapped(rtpmap: str) -> tuple[int, Meaning] | None:
    """Read `96 opus/48000/2`."""
    number, _, encoding = rtpmap.strip().partition(" ")
    name, _, rest = encoding.strip().partition("/")
    clock = rest.partition("/")[0].strip()
    digits = number + (clock or "8000")
    if not (name and digits.isascii() and digits.isdecimal() and len(number) < 4 and len(clock) < 7):
        return None
    return int(number), Meaning(name.strip().upper(), int(clock or 8000) or 8000)


def guessed(payload_type: int, payload: bytes) -> Meaning:
    """What a payload type means that nothing speaks of: keys have a look of their own (RFC 4733 section 2.3)."""
    if payload_type >= 96 and len(payload) == 4 and payload[0] < 16 and not payload[1] & 0x40:
        return Meaning(TELEPHONE_EVENT, 8000)
    return Meaning(f"type {payload_type}", 0)


def readable(name: str) -> str:
    """A codec's name as it is written to people."""
    return name.lower() if name in (TELEPHONE_EVENT, "OPUS", "SPEEX", "ILBC") else name
