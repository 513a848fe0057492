"""Which backends take a call: by the called number and the source address, to an ordered list of targets.

Routes are tried in the order they are written; the first that fits both number and source takes the call. So two
trunks may have the same numbers, and a route for `*` comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sipgw.errors import Cause
from sipgw.flow import Networks
from sipgw.options import Ask, BackendOptions, CallOptions, HookOptions, RouteOptions


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern is for a text: it is the same, or what it begins with and `*`."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of a route: a backend by name, or a hook. Both are None where nothing of that name is configured."""

    name: str
    backend: BackendOptions | None = None
    hook: HookOptions | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A route, ready for use."""

    options: RouteOptions
    targets: tuple[Target, ...]
    networks: Networks

    def fits(self, number: str, caller: str, attestation: str) -> bool:
        """Whether the route is for a called number, from this caller, of whom the carrier is so sure."""
        options = self.options
        from_them = not options.callers or any(fits(pattern, caller) for pattern in options.callers)
        sure = not options.attestation or attestation in options.attestation
        return from_them and sure and fits(options.number, number)

    def serves(self, source: str, trunk: str = "") -> bool:
        """Whether callers from this address, or by this trunk, may use the route."""
        return self.options.anyone or source in self.networks or (trunk != "" and trunk in self.options.trunks)


class Routes:
    """All routes in order.

    Raises:
        ValueError: a source is neither an address nor a range.
    """

    def __init__(
        self, routes: Sequence[RouteOptions], backends: Sequence[BackendOptions], hooks: Sequence[HookOptions] = ()
    ) -> None:
        self._backends = {backend.name: backend for backend in backends}
        self._hooks = {hook.place.name: hook for hook in hooks}
        self._routes = tuple(
            Route(
                options,
                tuple(map(self.target, options.targets)),
                Networks(options.sources),
            )
            for options in routes
        )

    @classmethod
    def of(cls, options: CallOptions) -> "Routes":
        """All routes of a configuration."""
        return cls(options.routes, options.backends, options.hooks)

    def backend(self, name: str) -> BackendOptions | None:
        """The backend of that name, where one is configured."""
        return self._backends.get(name)

    def target(self, named: str | Ask) -> Target:
        """The target that a route names so."""
        if isinstance(named, Ask):
            return Target(str(named), hook=self._hooks.get(named.hook))
        return Target(named, self._backends.get(named))

    def find(
        self, number: str, source: str, trunk: str = "", *, caller: str = "", attestation: str = "unknown"
    ) -> Route | Cause:
        """The route for a call, or why there is none: FORBIDDEN where only its source is wrong, else NOT_FOUND.

        Args:
            number: that was called.
            source: the address it came from.
            trunk: by which it came.
            caller: the caller's number, even where others may not know it.
            attestation: its level, `A` to `C`, `failed` or `unknown`.
        """
        fitting = [route for route in self._routes if route.fits(number, caller, attestation)]
        for route in fitting:
            if route.serves(source, trunk):
                return route
        return Cause.FORBIDDEN if fitting else Cause.NOT_FOUND
