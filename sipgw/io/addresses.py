"""Which addresses this machine has, by interface and by route (Linux)."""

import fcntl
import socket
import struct
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from sipgw.errors import Unavailable
from sipgw.io.sockets import family_of

_DISCARD = 9
"""Any port: nothing is sent."""
_SIOCGIFADDR = 0x8915
_IFREQ = struct.Struct("16s4x4s16x")
"""`struct ifreq` with an IPv4 address in it."""
_SIX = Path("/proc/net/if_inet6")


def of_interface(name: str, *, six: bool) -> str:
    """The address of an interface; of IPv6 the first that is not for its link alone.

    Raises:
        Unavailable: there is no such interface, or it has no such address.
    """
    names = [known for _, known in socket.if_nameindex()]
    if name not in names:
        raise Unavailable(f"there is no interface {name}; there is {', '.join(names)}")
    found = _six_of(name) if six else _four_of(name)
    if not found:
        raise Unavailable(f"interface {name} has no IPv{6 if six else 4} address")
    return found


def towards(remote: str) -> str:
    """Our address on the way to another one, as the routing table has it; no packet is sent.

    Raises:
        OSError: there is no way.
        Unavailable: `remote` is no IP address.
    """
    with socket.socket(family_of(remote), socket.SOCK_DGRAM) as probe:
        probe.connect((remote, _DISCARD))
        return str(probe.getsockname()[0])


def _four_of(name: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, _IFREQ.pack(name.encode(), b""))
        except OSError:
            return ""
    return str(ip_address(_IFREQ.unpack(answer)[1]))


def _six_of(name: str) -> str:
    """Its lines hold the address in hexadecimal first and the name last."""
    for line in _SIX.read_text().splitlines() if _SIX.exists() else ():
        words = line.split()
        address = IPv6Address(bytes.fromhex(words[0]))
        if words[-1] == name and not address.is_link_local:
            return str(address)
    return ""
