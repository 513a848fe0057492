"""Reads the UDP datagrams of a capture: pcap or pcapng, from Ethernet, Linux "any", loopback or raw IP interfaces."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dpkt

from sipgw.errors import SipgwError
from sipgw.flow import Endpoint

_ETHERNET = 1
_LINK_HEADERS = {0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""Bytes before the IP header, by link type: BSD loopback and raw IP, which need no type field."""
_TYPED_LINK_HEADERS = {_ETHERNET: (14, 12), 113: (16, 14), 276: (20, 0)}
"""Length of the header and place of its type field: Ethernet, Linux cooked 1 and 2."""
_VLAN = (0x8100, 0x88A8, 0x9100)
_IP = (0x0800, 0x86DD)
_UDP = 17


class CaptureError(SipgwError):
    """A file that is no capture we can read; the message says why."""


class Datagram(NamedTuple):
    """One captured datagram."""

    when: float
    """Seconds since 1970, as captured."""
    source: Endpoint
    destination: Endpoint
    payload: bytes


def datagrams(path: Path) -> Iterator[Datagram]:
    """The UDP datagrams of a capture, in its order. What else it holds, and broken or fragmented ones, are passed over.

    Raises:
        CaptureError: it cannot be opened, or is no capture, or comes from an interface of another kind.
    """
    try:
        with path.open("rb") as file:
            try:
                reader = dpkt.pcap.UniversalReader(file)
            except (ValueError, dpkt.UnpackError):
                raise CaptureError(f"{path} is neither pcap nor pcapng") from None
            link = reader.datalink()
            if link not in _LINK_HEADERS and link not in _TYPED_LINK_HEADERS:
                raise CaptureError(f"{path} was captured on an interface of link type {link}, which is not known here")
            for when, frame in _records(reader):
                datagram = _udp(float(when), _ip(frame, link))
                if datagram is not None:
                    yield datagram
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None


def _records(reader: dpkt.pcap.Reader) -> Iterator[tuple[float, bytes]]:
    """The records of a capture, to its end or to where it was cut off."""
    records = iter(reader)
    while True:
        try:
            yield next(records)
        except (StopIteration, dpkt.UnpackError, struct.error, ValueError):
            return


def _ip(frame: bytes, link: int) -> bytes:
    """The IP packet in a frame; empty where there is none."""
    if link in _LINK_HEADERS:
        return frame[_LINK_HEADERS[link] :]
    size, field = _TYPED_LINK_HEADERS[link]
    kind = int.from_bytes(frame[field : field + 2], "big")
    while kind in _VLAN:  # four bytes each, its own type at their end
        kind = int.from_bytes(frame[size + 2 : size + 4], "big")
        size += 4
    return frame[size:] if kind in _IP else b""


def _udp(when: float, packet: bytes) -> Datagram | None:
    """The datagram in an IP packet, or None."""
    if len(packet) < 20:
        return None
    found = _in_ipv6(packet) if packet[0] >> 4 == 6 else _in_ipv4(packet)
    if found is None or len(found[2]) < 8:
        return None
    source, destination, segment = found
    source_port, destination_port, size = struct.unpack_from("!HHH", segment)
    if not 8 <= size <= len(segment):
        return None
    return Datagram(when, (_text(source), source_port), (_text(destination), destination_port), segment[8:size])


def _in_ipv4(packet: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Addresses and UDP segment (RFC 791); no fragments."""
    header = (packet[0] & 0x0F) * 4
    fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
    if packet[0] >> 4 != 4 or header < 20 or packet[9] != _UDP or fragment:
        return None
    return packet[12:16], packet[16:20], packet[header:]


def _in_ipv6(packet: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Addresses and UDP segment (RFC 8200), behind hop-by-hop and destination options."""
    following, start = packet[6], 40
    while following in (0, 60) and len(packet) > start + 1:
        following, start = packet[start], start + 8 + packet[start + 1] * 8
    return (packet[8:24], packet[24:40], packet[start:]) if following == _UDP else None


def _text(address: bytes) -> str:
    return str(dpkt.utils.inet_to_str(address))
