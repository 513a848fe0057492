"""`sipgw replay`: the settings that a capture is replayed against."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from sipgw.app.check import WRONG, examined_or_told
from sipgw.app.places import offline
from sipgw.app.prompts import load_prompts
from sipgw.errors import Unavailable
from sipgw.options import CallOptions, RouteOptions
from sipgw.settings import Settings
from sipgw.settings.backends import Backend
from sipgw.tools.replay.command import Plan, replay
from sipgw.tools.replay.simulation import Gateway

BUILT_IN = ("echo", "demo", "tone")


def main(plan: Plan, config: Path | None) -> int:
    """Replay against `config`; the process's exit code."""
    examined = examined_or_told(config)
    if examined is None:
        return WRONG
    settings = examined.settings
    return replay(plan, lambda backend, route: gateway(settings, backend, route), Console())


def gateway(settings: Settings, backend: str | None = None, route: str | None = None) -> Gateway:
    """What the settings make of the gateway.

    Args:
        settings: the configuration.
        backend: takes all calls: one of the configuration's, or one that is built in.
        route: the number of the route that takes all calls.

    Raises:
        Unavailable: there is no such backend or route.
    """
    calls = settings.call_options()
    if route is not None:
        calls = _by_route(calls, route)
    if backend is not None:
        calls = _by_backend(calls, backend)
    return Gateway(offline(settings.sip_options()), settings.media_options(), calls, load_prompts(settings.prompts))


def _by_route(calls: CallOptions, number: str) -> CallOptions:
    """All calls take one route, whatever they call and wherever they come from."""
    for one in calls.routes:
        if one.number == number:
            return replace(calls, routes=(replace(one, number="*", anyone=True),))
    known = ", ".join(one.number for one in calls.routes)
    raise Unavailable(f"there is no route for {number!r}; there are {known}")


def _by_backend(calls: CallOptions, name: str) -> CallOptions:
    """All calls go to one backend; the rest of their route stays."""
    names = {one.name for one in calls.backends}
    backends = calls.backends
    if name not in names:
        if name not in BUILT_IN:
            raise Unavailable(f"there is no backend {name!r}; there are {', '.join(sorted({*names, *BUILT_IN}))}")
        backends = (*backends, Backend(dialect=name).options(name))
    like = calls.routes[-1] if calls.routes else RouteOptions()
    return replace(calls, routes=(replace(like, number="*", anyone=True, targets=(name,)),), backends=backends)
