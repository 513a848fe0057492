"""The values of an audio negotiation: what we bring, what was agreed, and the lines that say so."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from sipgw.flow import Endpoint
from sipgw.options import SrtpPolicy
from sipgw.sdp.crypto import Crypto, Keys
from sipgw.sdp.formats import Format
from sipgw.sdp.lines import Attribute
from sipgw.sdp.model import Media, Origin, Sdp

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


def sends(way: Direction) -> bool:
    """Whether who has this direction sends."""
    return way in ("sendrecv", "sendonly")


def listens(way: Direction) -> bool:
    """Whether who has this direction receives."""
    return way in ("sendrecv", "recvonly")


def both(one: Direction, other: Direction) -> Direction:
    """What two directions of the same side have in common."""
    if sends(one) and sends(other):
        return "sendrecv" if listens(one) and listens(other) else "sendonly"
    return "recvonly" if listens(one) and listens(other) else "inactive"


@dataclass(frozen=True, slots=True)
class LocalAudio:
    """What we bring to an offer or an answer."""

    address: str
    """Where we receive, an IP address; its family is the one we can send to as well."""
    port: int
    codecs: tuple[str, ...]
    """Encoding names in our order of preference."""
    ptime_ms: int = 20
    dtmf: bool = True
    """Whether telephone-event (RFC 4733) is wanted."""
    direction: Direction = "sendrecv"
    """What we want to do; `sendonly` puts the far end on hold."""
    srtp: SrtpPolicy = "off"
    """Whether streams are protected (`sdp/protection.py`)."""
    session_id: int = field(kw_only=True)
    """For the `o=` line; the same for the whole dialog."""
    version: int = 1
    """Of the `o=` line in the first description; later ones count on from the previous."""

    def origin(self) -> Origin:
        """The `o=` line of our first description."""
        return Origin(str(self.session_id), str(self.version), self.address)


@dataclass(frozen=True, slots=True)
class AudioStream:
    """What both sides agreed; field by field the media plane's `Stream`."""

    codec: str
    remote: Endpoint
    remote_rtcp: Endpoint
    receive_types: tuple[int, ...]
    """Payload types that mean `codec` towards us."""
    send_type: int
    dtmf_receive_type: int | None = None
    dtmf_send_type: int | None = None
    ptime_ms: int = 20
    """What we send; the far end's wish where it has one we can meet."""
    parameters: str = ""
    """What the far end asks of what we send (`a=fmtp`)."""
    srtp: Keys | None = None
    """None where it is plain RTP."""
    sending: bool = True
    """Whether the far end wants to hear us."""
    receiving: bool = True
    """Whether the far end talks to us."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome of one offer and answer."""

    sdp: Sdp
    """Our description: the answer to send, or the offer that was accepted."""
    stream: AudioStream
    line: int = 0
    """Which `m=` line, counted from 0, carries the audio."""


def audio_line(
    local: LocalAudio,
    protocol: str,
    formats: Iterable[Format],
    ptime_ms: int,
    way: Direction,
    keys: Iterable[Crypto] = (),
) -> Media:
    """Our audio line: these formats in this order, and these keys to protect with, one of them or none."""
    attributes: list[Attribute] = []
    numbers: list[str] = []
    for one in formats:
        numbers.append(str(one.payload_type))
        attributes += one.attributes()
    attributes += [one.attribute() for one in keys]
    attributes += [Attribute("ptime", str(ptime_ms)), Attribute(way)]
    return Media("audio", local.port, protocol, tuple(numbers), attributes=tuple(attributes))


def rejected(media: Media) -> Media:
    """The answer to a line we do not take: port 0, the same protocol and formats (RFC 3264 section 6)."""
    return Media(media.kind, 0, media.protocol, media.formats)


def following(new: Sdp, previous: Sdp | None) -> Sdp:
    """`new` as our next description after `previous`: the same session, and the version one higher if anything changed.

    RFC 3264 section 8: an unchanged description repeats its version.
    """
    if previous is None:
        return new
    same = replace(new, origin=previous.origin)
    if same == previous:
        return previous
    origin = replace(new.origin, session_id=previous.origin.session_id, version=str(int(previous.origin.version) + 1))
    return replace(new, origin=origin)
