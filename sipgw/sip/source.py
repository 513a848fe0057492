"""What one sender's address is for limits and bans: an IPv4 address, or the /64 of an IPv6 one.

Whoever has one IPv6 address usually has all of its /64.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

SourceKey = str
"""An IPv4 address, or an IPv6 network as `2001:db8:1:2::/64`."""

_HOST_BITS = 64


def source_key(host: str) -> SourceKey:
    """The key of an address; what is no address is its own."""
    return _of_ipv6(host) if ":" in host else host


@lru_cache(maxsize=4096)
def _of_ipv6(host: str) -> SourceKey:
    try:
        address = ip_address(host.partition("%")[0].partition("/")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS)}/{_HOST_BITS}"
