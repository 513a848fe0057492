"""What the far end's description says of its own side: addresses, hold, direction, packet length, and why not."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from sipgw.errors import PeerError, UsageError
from sipgw.flow import Endpoint, nowhere
from sipgw.sdp.audio import Direction
from sipgw.sdp.model import Media, Sdp

_MIRROR: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_LONGEST_MS = 60


def refusal(code: int, why: str) -> PeerError:
    """488 with the Warning that says why (RFC 3261 section 20.43)."""
    return PeerError(488, why, (("Warning", f'{code} sipgw "{why}"'),))


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the far end receives, and whether it sends and listens."""

    rtp: Endpoint
    """`nowhere` until the far end's packets show where it is."""
    rtcp: Endpoint
    sending: bool
    listening: bool
    direction: Direction
    """What we answer to its direction."""

    @classmethod
    def of(cls, sdp: Sdp, media: Media, local_address: str) -> "Remote":
        """Read one line of the far end's description.

        A `c=` line of 0.0.0.0 is hold as RFC 2543 had it: nothing may be sent there, and a phone that holds so, and
        does not say that it plays music (`sendonly`), sends nothing either. From an ICE agent it only says that no
        candidate was found yet (RFC 8840 section 4.1.1).

        A name is not looked up, and neither it nor what is no address at all costs the call: where the far end sends,
        its packets show where it is.

        Raises:
            PeerError: 488, as no packet of ours can ever get there.
        """
        way = sdp.direction_of(media)
        address = _address(sdp.address_of(media), local_address)
        if address is None:
            if way == "recvonly":
                raise refusal(301, f"no IP address in c= line: {quotable(sdp.address_of(media))}")
            rtp = rtcp = nowhere(local_address)
        elif address.is_unspecified:
            rtp = rtcp = nowhere(local_address)
            if not _is_ice_agent(sdp, media):
                way = "sendonly" if way == "sendonly" else "inactive"
        else:
            rtp, rtcp = (str(address), media.port), _rtcp(media, address, local_address)
        sending, listening = way in ("sendrecv", "sendonly"), way in ("sendrecv", "recvonly")
        return cls(rtp, rtcp, sending, listening, _MIRROR[way])


def ptime_of(sdp: Sdp, media: Media, ours_ms: int) -> int:
    """The packet length to send: the far end's wish in whole 10 ms up to 60, else ours; never above its maximum."""
    wish = _milliseconds(sdp, media, "ptime") or ours_ms
    limit = _milliseconds(sdp, media, "maxptime") or _LONGEST_MS
    return min(wish, limit)


def _milliseconds(sdp: Sdp, media: Media, name: str) -> int:
    """An attribute's value where it is a packet length we can make, else 0."""
    given = [a.value or "" for a in (*media.attributes, *sdp.attributes) if a.key == name]
    if given and given[0].isascii() and given[0].isdecimal() and len(given[0]) < 4:
        value = min(int(given[0]), _LONGEST_MS) if name == "maxptime" else int(given[0])
        usable = value - value % 10 if name == "maxptime" else value
        return usable if 10 <= usable <= _LONGEST_MS and usable % 10 == 0 else 0
    return 0


def _is_ice_agent(sdp: Sdp, media: Media) -> bool:
    return any(attribute.key == "ice-ufrag" for attribute in (*sdp.attributes, *media.attributes))


def _address(text: str, local_address: str) -> IPv4Address | IPv6Address | None:
    """The address in a `c=` line, of our own family; None where it is a name or nothing that makes sense.

    An unspecified one is no place in either family: phones write 0.0.0.0 to hold a call over IPv6, too.
    """
    try:
        address = _plain(ip_address(text))
    except ValueError:
        return None
    if address.is_multicast:
        raise refusal(330, "multicast not available")
    if address.version != _own(local_address).version and not address.is_unspecified:
        raise refusal(301, f"no IPv{address.version} media here")
    return address


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _own(address: str) -> IPv4Address | IPv6Address:
    try:
        return _plain(ip_address(address))
    except ValueError as error:
        raise UsageError(f"local media address is no IP address: {address!r}") from error


def _rtcp(media: Media, address: IPv4Address | IPv6Address, local_address: str) -> Endpoint:
    """The `a=rtcp` port and address (RFC 3605) where they make sense, else the next port (RFC 3550 section 11)."""
    words = (media.value("rtcp") or "").split()
    port = int(words[0]) if words and words[0].isascii() and words[0].isdecimal() and len(words[0]) < 6 else 0
    if not 0 < port < 65_536:
        return str(address), min(media.port + 1, 65_535)
    try:
        own = _address(words[3], local_address) if len(words) > 3 else address
    except PeerError:
        own = None  # an address we cannot use costs the reports, not the call
    return str(address if own is None or own.is_unspecified else own), port


def quotable(text: str) -> str:
    """What a stranger wrote, fit to stand in a Warning."""
    return "".join(c for c in text if c.isascii() and c.isprintable() and c not in '"\\')[:60]
