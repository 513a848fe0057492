"""Where a SIP message came from or goes to: the identity of one transport path (RFC 3261 section 18, RFC 5626)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

Endpoint = tuple[str, int]
"""Host (an IP address literal) and port."""


def written(address: Endpoint) -> str:
    """Host and port as a URI wants them."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(address: Endpoint) -> Endpoint:
    """Where a listener is reached from this machine: one on every address, on the loopback."""
    host, port = address
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def nowhere(host: str) -> Endpoint:
    """No place at all, in the family of `host`: nothing is sent there."""
    return ("::" if ":" in host else "0.0.0.0"), 0


def is_nowhere(place: Endpoint) -> bool:
    """Whether it is no place that anything can be sent to."""
    return not place[1]


class Networks:
    """Addresses and ranges, such as `203.0.113.0/24`.

    Raises:
        ValueError: one of them is neither.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks = tuple(ip_network(text, strict=False) for text in texts)

    def __contains__(self, host: str) -> bool:
        """Whether an address is one of them; an IPv4 address that came in an IPv6 one counts as what it is."""
        if not self._networks:
            return False
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)


@dataclass(frozen=True, slots=True)
class Flow:
    """One path between a listener of ours and a peer.

    A dialog's requests leave from the listener they came in on, so the path names both ends.
    """

    transport: str
    """`udp`, `tcp`, `tls`, `ws` or `wss`."""
    local: Endpoint
    remote: Endpoint
    names: tuple[str, ...] = field(default=(), compare=False)
    """Over TLS: on a connection the peer opened, the names its certificate proves; on one that we open, the name its
    certificate has to prove (RFC 5922)."""

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats lost data itself (RFC 3261 section 17)."""
        return self.transport != "udp"

    @property
    def is_six(self) -> bool:
        """Whether it is one of IPv6."""
        return ":" in self.local[0]

    def __str__(self) -> str:
        return f"{self.transport}:{written(self.remote)}"
