"""Which backends take a call: by the called number and the source address, to an ordered list of targets.

Routes are tried in the order they are written; the first that fits both number and source takes the call. So two
trunks may have the same numbers, and a route for `*` comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from sipgw.errors import Cause
from sipgw.options import BackendOptions, RouteOptions

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of a route: a backend by name. `backend` is None where nothing of that name is configured."""

    name: str
    backend: BackendOptions | None


@dataclass(frozen=True, slots=True)
class Route:
    """A route, ready for use."""

    options: RouteOptions
    targets: tuple[Target, ...]
    networks: tuple[Network, ...]

    def fits(self, number: str) -> bool:
        """Whether the route is for a called number. A pattern is a number, or what it begins with and `*`."""
        pattern = self.options.number
        return number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern

    def serves(self, source: str) -> bool:
        """Whether callers from this address may use the route."""
        if self.options.anyone:
            return True
        try:
            address = ip_address(source.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


class Routes:
    """All routes in order.

    Raises:
        ValueError: a source is neither an address nor a range.
    """

    def __init__(self, routes: Sequence[RouteOptions], backends: Sequence[BackendOptions]) -> None:
        known = {backend.name: backend for backend in backends}
        self._routes = tuple(
            Route(
                options,
                tuple(Target(name, known.get(name)) for name in options.targets),
                tuple(ip_network(source, strict=False) for source in options.sources),
            )
            for options in routes
        )

    def find(self, number: str, source: str) -> Route | Cause:
        """The route for a call, or why there is none: FORBIDDEN where only its source is wrong, else NOT_FOUND."""
        fitting = [route for route in self._routes if route.fits(number)]
        for route in fitting:
            if route.serves(source):
                return route
        return Cause.FORBIDDEN if fitting else Cause.NOT_FOUND
