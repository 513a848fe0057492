"""The session descriptions of a capture: who receives media where, in which formats, and in which direction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from sipgw.errors import PeerError
from sipgw.flow import Endpoint
from sipgw.sdp.model import Media, Sdp
from sipgw.tools.capture.codecs import Meaning, meanings_of

_MOST_ENDPOINTS = 100_000


@dataclass(frozen=True, slots=True)
class Description:
    """One media line of an offer or an answer."""

    when: float
    call_id: str
    party: str
    """Who sent it: `caller` or `callee`."""
    endpoint: Endpoint
    """Where that party wants to receive; port 0 refuses the line."""
    direction: str
    """As it sees it: `sendrecv`, `sendonly`, `recvonly` or `inactive`."""
    meanings: Mapping[int, Meaning] = field(repr=False)
    came_from: str = ""
    """Address the message came from."""
    kind: str = "audio"
    secure: bool = False
    """SRTP."""


def descriptions_of(body: bytes, when: float, call_id: str, party: str, came_from: str) -> list[Description]:
    """The lines of a body; none where it cannot be read."""
    try:
        sdp = Sdp.parse(body)
    except PeerError:
        return []
    return [
        Description(
            when,
            call_id,
            party,
            (_plain(sdp.address_of(media)), media.port),
            _direction(sdp, media),
            meanings_of(media),
            came_from,
            media.kind,
            "SAVP" in media.protocol.upper(),
        )
        for media in sdp.media
        if media.kind in ("audio", "video")
    ]


def _direction(sdp: Sdp, media: Media) -> str:
    """With hold as RFC 2543 had it: an address of zeros."""
    way = sdp.direction_of(media)
    return "inactive" if sdp.address_of(media) in ("0.0.0.0", "::") and way != "sendonly" else way


def _plain(address: str) -> str:
    """The address as packets show it."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


class Book:
    """All descriptions of a capture, by the endpoint they name."""

    def __init__(self) -> None:
        self._known: dict[Endpoint, list[Description]] = {}

    def add(self, description: Description) -> None:
        """Note one more."""
        if description.endpoint[1] and (description.endpoint in self._known or len(self._known) < _MOST_ENDPOINTS):
            kept = self._known.setdefault(description.endpoint, [])
            if len(kept) < 1000:
                kept.append(description)

    def find(self, source: Endpoint, destination: Endpoint, when: float) -> Description | None:
        """What speaks of media between two endpoints: of its receiver, or else of its sender.

        Phones send from the port where they receive (RFC 4961), so that the sender's description is as good where the
        receiver is behind an address translation.
        """
        return self.of(destination, when) or self.of(source, when)

    def of(self, endpoint: Endpoint, when: float) -> Description | None:
        """The newest description of an endpoint; the first one for media that came even before it."""
        known = self._known.get(endpoint)
        if not known:
            return None
        if len(known) == 1:
            return known[0]
        return next((one for one in reversed(known) if one.when <= when), known[0])

    def meanings(self, source: Endpoint, destination: Endpoint, when: float) -> Mapping[int, Meaning]:
        """What payload types mean from one endpoint to another: the receiver says so, or else the sender."""
        to, by = self.of(destination, when), self.of(source, when)
        return {**(by.meanings if by else {}), **(to.meanings if to else {})}
