"""From a captured frame to the datagram or TCP segment in it: link layers, VLAN tags, IPv4, IPv6, fragments."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from struct import Struct
from typing import NamedTuple

from sipgw.flow import Endpoint
from sipgw.tools.capture.fragments import Fragments

UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58
_ETHERNET = 1
_LINK_HEADERS = {0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""Bytes before the IP header, by link type: BSD loopback and raw IP, which need no type field."""
_TYPED_LINK_HEADERS = {_ETHERNET: (14, 12), 113: (16, 14), 276: (20, 0)}
"""Length of the header and place of its type field: Ethernet, Linux cooked 1 and 2."""
KNOWN_LINKS = _LINK_HEADERS.keys() | _TYPED_LINK_HEADERS.keys()
_VLAN = (0x8100, 0x88A8, 0x9100)
_IP = (0x0800, 0x86DD)
_PPPOE = 0x8864
_PPP_IP = {b"\x00\x21": 0x0800, b"\x00\x57": 0x86DD}
_UDP_HEADER = Struct("!HHH")
_TCP_HEADER = Struct("!HHIIBB")
_EXTENSIONS = (0, 43, 60, 135)
"""IPv6 headers in front of the payload that say their own length: hop-by-hop, routing, destination, mobility."""
_FRAGMENT, _AUTHENTICATION = 44, 51
_MOST_EXTENSIONS = 16


class Datagram(NamedTuple):
    """One captured UDP datagram."""

    when: float
    """Seconds since 1970, as captured."""
    source: Endpoint
    destination: Endpoint
    payload: bytes


class Segment(NamedTuple):
    """One captured TCP segment."""

    when: float
    source: Endpoint
    destination: Endpoint
    payload: bytes
    sequence: int
    syn: bool
    closing: bool
    """FIN or RST."""


class Unreachable(NamedTuple):
    """An ICMP message: a datagram to `destination` could not be delivered."""

    when: float
    source: Endpoint
    """Of the datagram."""
    destination: Endpoint


Packet = Datagram | Segment | Unreachable


class _Ip(NamedTuple):
    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    whole: bool
    """Whether the capture holds all of it."""


class IpReader:
    """Finds the packets in frames; holds the fragments of those that are not complete."""

    def __init__(self) -> None:
        self._fragments = Fragments()
        self.unknown_links: dict[int, int] = {}
        """Frames of interfaces that are not known here, by link type."""
        self.cut_off = 0
        """Datagrams of which the capture holds only the beginning: its snap length was too short."""
        self.frames = 0
        """Frames of interfaces that are known."""

    def read(self, when: float, link: int, frame: bytes) -> Packet | None:
        """What a frame completes; None where that is nothing of interest."""
        if link not in KNOWN_LINKS:
            self.unknown_links[link] = self.unknown_links.get(link, 0) + 1
            return None
        self.frames += 1
        found = self._ip(when, _without_link(frame, link))
        if found is None:
            return None
        reader = _READERS.get(found.protocol)
        packet = reader(when, found) if reader else None
        if packet is None and found.protocol == UDP and not found.whole:
            self.cut_off += 1
        return packet

    def _ip(self, when: float, packet: bytes) -> _Ip | None:
        if len(packet) < 20:
            return None
        version = packet[0] >> 4
        if version == 4:
            return self._ipv4(when, packet)
        return self._ipv6(when, packet) if version == 6 and len(packet) >= 40 else None

    def _ipv4(self, when: float, packet: bytes) -> _Ip | None:
        """RFC 791; a length of zero is a packet that the network card was to cut (segmentation offload)."""
        header, total = (packet[0] & 0x0F) * 4, packet[2] << 8 | packet[3]
        end = min(total or len(packet), len(packet))
        if not 20 <= header <= end:
            return None
        source, destination, payload = packet[12:16], packet[16:20], packet[header:end]
        fragment = packet[6] << 8 | packet[7]
        if fragment & 0x3FFF:
            key = (packet[4:6], source, destination, packet[9])
            whole = self._fragments.add(when, key, (fragment & 0x1FFF) * 8, payload, bool(fragment & 0x2000))
            return _Ip(source, destination, packet[9], whole, True) if whole is not None else None
        return _Ip(source, destination, packet[9], payload, len(packet) >= total)

    def _ipv6(self, when: float, packet: bytes) -> _Ip | None:
        """RFC 8200, behind its extension headers."""
        size = packet[4] << 8 | packet[5]
        end = min(40 + size if size else len(packet), len(packet))
        following, start = packet[6], 40
        source, destination = packet[8:24], packet[24:40]
        for _ in range(_MOST_EXTENSIONS):
            if following not in _EXTENSIONS and following != _AUTHENTICATION:
                break
            if start + 8 > end:
                return None
            unit = 4 if following == _AUTHENTICATION else 8
            following, start = packet[start], start + (packet[start + 1] + 1) * unit + (8 - unit)
        if following != _FRAGMENT:
            return _Ip(source, destination, following, packet[start:end], len(packet) >= 40 + size)
        if start + 8 > end:
            return None
        key, place = (packet[start + 4 : start + 8], source, destination, 0), packet[start + 2] << 8 | packet[start + 3]
        whole = self._fragments.add(when, key, place & 0xFFF8, packet[start + 8 : end], bool(place & 1))
        return _Ip(source, destination, packet[start], whole, True) if whole is not None else None


def _without_link(frame: bytes, link: int) -> bytes:
    """The IP packet in a frame; empty where there is none."""
    if link in _LINK_HEADERS:
        return frame[_LINK_HEADERS[link] :]
    size, field = _TYPED_LINK_HEADERS[link]
    kind = int.from_bytes(frame[field : field + 2], "big")
    while kind in _VLAN:  # four bytes each, its own type at their end
        kind = int.from_bytes(frame[size + 2 : size + 4], "big")
        size += 4
    if kind == _PPPOE:  # as DSL lines have it (RFC 2516): six bytes, then PPP's own type
        kind, size = _PPP_IP.get(frame[size + 6 : size + 8], 0), size + 8
    return frame[size:] if kind in _IP else b""


def _udp(when: float, ip: _Ip) -> Datagram | None:
    if len(ip.payload) < 8:
        return None
    source, destination, size = _UDP_HEADER.unpack_from(ip.payload)
    size = size or len(ip.payload)
    if not 8 <= size <= len(ip.payload):
        return None
    return Datagram(when, (text(ip.source), source), (text(ip.destination), destination), ip.payload[8:size])


def _tcp(when: float, ip: _Ip) -> Segment | None:
    if len(ip.payload) < 20:
        return None
    source, destination, sequence, _, offset, flags = _TCP_HEADER.unpack_from(ip.payload)
    start = (offset >> 4) * 4
    if not 20 <= start <= len(ip.payload):
        return None
    ends = (text(ip.source), source), (text(ip.destination), destination)
    return Segment(when, *ends, ip.payload[start:], sequence, bool(flags & 2), bool(flags & 5))


def _icmp(when: float, ip: _Ip) -> Unreachable | None:
    """Destination unreachable, with the header of the datagram it is about (RFC 792, RFC 4443)."""
    kind, header = (3, 20) if ip.protocol == ICMP else (1, 40)
    about = ip.payload[8:]
    if not ip.payload or ip.payload[0] != kind or len(about) < header + 8:
        return None
    if header == 20:
        header, protocol, source, destination = (about[0] & 0x0F) * 4, about[9], about[12:16], about[16:20]
    else:
        protocol, source, destination = about[6], about[8:24], about[24:40]
    if protocol != UDP or len(about) < header + 4:
        return None
    ports = _UDP_HEADER.unpack_from(about + bytes(8), header)
    return Unreachable(when, (text(source), ports[0]), (text(destination), ports[1]))


_READERS: dict[int, Callable[[float, _Ip], Packet | None]] = {UDP: _udp, TCP: _tcp, ICMP: _icmp, ICMP6: _icmp}


@lru_cache(maxsize=65_536)
def text(address: bytes) -> str:
    """An address as people write it."""
    return str(ip_address(address))
