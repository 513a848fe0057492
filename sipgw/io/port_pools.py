"""RTP ports on several addresses of ours: each has the whole range to itself."""

from collections.abc import Container, Iterable

from sipgw.io.ports import PortPair, PortPool
from sipgw.options import MediaOptions


class PortPools:
    """The pools, by the address that their sockets bind.

    Args:
        options: the range, and how long a pair rests.
        hosts: the addresses.
    """

    def __init__(self, options: MediaOptions, hosts: Iterable[str]) -> None:
        self._options = options
        self._pools = {host: self._made(host) for host in hosts}
        self.size = sum(pool.size for pool in self._pools.values())
        """How many pairs there are at all."""

    @property
    def in_use(self) -> int:
        """How many of them are."""
        return sum(pool.in_use for pool in self._pools.values())

    def take(self, host: str, now: float) -> PortPair:
        """Open a pair on an address.

        Raises:
            Unavailable: all of that address are in use, resting, or other programs'.
        """
        return self._pools[host].take(now)

    def give_back(self, pair: PortPair, now: float) -> None:
        """Close a pair, once: see `PortPool.give_back`."""
        if not pair.closed:
            self._pools[pair.host].give_back(pair, now)

    def adopt(self, descriptors: tuple[int, int]) -> PortPair:
        """A pair that an earlier process had opened and that is in use, even on an address that is not ours any more.

        The descriptors are the pair's from here on.
        """
        pair = PortPair.of(descriptors)
        self._pools.setdefault(pair.host, self._made(pair.host)).adopt(pair)
        return pair

    def rest(self, ports: Container[int], now: float) -> None:
        """Keep free pairs back, on whichever address: see `PortPool.rest`."""
        for pool in self._pools.values():
            pool.rest(ports, now)

    def _made(self, host: str) -> PortPool:
        return PortPool(self._options, host)
