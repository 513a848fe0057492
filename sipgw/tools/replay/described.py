"""What an SDP says of its maker's audio, as far as somebody who replays it has to know. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from sipgw.errors import PeerError
from sipgw.flow import Endpoint
from sipgw.sdp.formats import formats_of
from sipgw.sdp.model import Media, Sdp


@dataclass(frozen=True, slots=True)
class Described:
    """Where its maker receives, and what the payload types mean there."""

    rtp: Endpoint
    rtcp: Endpoint
    names: Mapping[int, str]
    """Encoding names in upper case."""


def described(body: bytes) -> Described | None:
    """The first audio line of an SDP; None where there is none, or the stream is refused."""
    if b"m=" not in body:
        return None
    try:
        sdp = Sdp.parse(body)
    except PeerError:
        return None
    media = next((one for one in sdp.media if one.kind == "audio" and one.port), None)
    if media is None:
        return None
    address = sdp.address_of(media)
    names = {one.payload_type: one.name for one in formats_of(media)}
    return Described((address, media.port), (address, _rtcp_port(media)), names)


def _rtcp_port(media: Media) -> int:
    """RFC 3605, RFC 5761, or the next port."""
    if media.value("rtcp-mux") is not None:
        return media.port
    word = (media.value("rtcp") or "").partition(" ")[0]
    return int(word) if word.isascii() and word.isdecimal() and 0 < int(word) < 65_536 else media.port + 1
