"""Answers from the DNS, kept as long as their records say. A name nobody answers for is one without records."""

from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdatatype import RdataType

from sipgw.trace import Mark, Note, Trace, silent

_KEPT = 10_000
"""Answers; those least asked for are forgotten first."""


class Dns:
    """A resolver that asks the system's servers, or those given.

    Args:
        servers: addresses, with `:port` where that is not 53; empty for the system's.
        limit: seconds for one question, all servers together.
        trace: hears of questions nobody answered.
    """

    def __init__(self, servers: tuple[str, ...] = (), limit: float = 3.0, trace: Trace = silent) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*_split(server)) for server in servers]
        self._resolver.lifetime = limit
        self._resolver.cache = dns.resolver.LRUCache(_KEPT)
        self._trace = trace

    async def naptr(self, name: str) -> list[tuple[int, int, str, str, str]]:
        """Order, preference, flags, service and replacement of each NAPTR record."""
        return [
            (one.order, one.preference, one.flags.decode(), one.service.decode(), one.replacement.to_text())
            for one in await self._records(name, RdataType.NAPTR)
        ]

    async def srv(self, name: str) -> list[tuple[int, int, int, str]]:
        """Priority, weight, port and target of each SRV record."""
        return [
            (one.priority, one.weight, one.port, one.target.to_text())
            for one in await self._records(name, RdataType.SRV)
        ]

    async def addresses(self, name: str, *, six: bool = False) -> list[str]:
        """The IPv4 addresses of a name, or the IPv6 ones."""
        kind = RdataType.AAAA if six else RdataType.A
        return [one.address for one in await self._records(name, kind)]

    async def _records(self, name: str, kind: RdataType) -> list[Any]:
        """Records of a kind; the library types them no closer."""
        try:
            # Not searched for in domains of ours: what a URI names is absolute.
            return list(await self._resolver.resolve(dns.name.from_text(name), kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            self._trace(Note(0.0, "io", Mark.DROP, "dns_failed", detail=f"{kind.name} {name}: {error}"))
            return []


def _split(server: str) -> tuple[str, int]:
    """Address and port of `192.0.2.1`, `192.0.2.1:5353` or `[2001:db8::1]:5353`."""
    if server.startswith("["):
        address, _, port = server[1:].partition("]")
        return address, int(port.removeprefix(":") or 53)
    if server.count(":") == 1:
        address, _, port = server.partition(":")
        return address, int(port)
    return server, 53
