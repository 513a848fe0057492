"""Endpoints in words, and which addresses the world cannot reach."""

from ipaddress import IPv4Network, ip_address

from sipgw.flow import Endpoint

_CARRIER_GRADE = IPv4Network("100.64.0.0/10")
"""Shared by providers (RFC 6598)."""


def place(endpoint: Endpoint) -> str:
    """An endpoint as people write it."""
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_private(host: str) -> bool:
    """Whether an address means something only in its own network (RFC 1918, RFC 6598, RFC 4193, loopback, link)."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    networks = address.version == 4 and address in _CARRIER_GRADE
    return networks or (address.is_private and not _is_documentation(host))


def _is_documentation(host: str) -> bool:
    """The examples' addresses (RFC 5737, RFC 3849) stand for public ones."""
    return host.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"))
