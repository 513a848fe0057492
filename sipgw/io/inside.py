"""Which addresses are inside: ours, the network's, nobody else's. A URL somebody configured must not lead there."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

EVERYWHERE: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))

_BESIDES: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890); Oracle's metadata
    IPv4Network("168.63.129.16/32"),  # public by its number, but Azure's hosts serve their machines there
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of one's own (RFC 8215)
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them (RFC 2928)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
    IPv6Network("5f00::/16"),  # segment routing (RFC 9602)
    IPv6Network("fec0::/10"),  # site-local, deprecated (RFC 3879)
)
"""What `is_global` of older Pythons takes for the outside, and what is inside for other reasons."""
_CARRIERS_OF_IPV4 = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped (RFC 4291 section 2.5.5.2)
    (IPv6Network("::/96"), 0),  # compatible, deprecated (RFC 4291 section 2.5.5.1)
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056)
)
"""IPv6 networks whose addresses lead to an IPv4 address, and how many bits stand after it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a request may go: anywhere outside, and to these networks inside."""

    inside: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> "Reach":
        """From texts such as `10.1.0.0/16`.

        Raises:
            ValueError: one is neither an address nor a range.
        """
        return cls(tuple(ip_network(text, strict=False) for text in networks))

    def allows(self, text: str) -> bool:
        """Whether an address may be connected to. What is not an address may not."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        meant = _carried(address)
        return not is_inside(meant) or any(one in network for one in (address, meant) for network in self.inside)


def is_inside(address: Address) -> bool:
    """Whether an address is loopback, private, shared, link-local (cloud metadata), multicast, reserved or none."""
    meant = _carried(address)
    return not meant.is_global or meant.is_multicast or any(meant in network for network in _BESIDES)


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it leads to one."""
    if isinstance(address, IPv6Address):
        for network, behind in _CARRIERS_OF_IPV4:
            if address in network:
                return IPv4Address(int(address) >> behind & 0xFFFF_FFFF)
    return address
