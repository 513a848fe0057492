"""Configurations in a line: which number leads to which backends."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.backend import FakeBackend

Backend = dict[str, Any]
BOTH = pytest.mark.parametrize("workers", [0, 1], ids=["in-process", "worker"])
"""Media in the gateway's main process, and in one of its own: a story is the same either way."""


@dataclass(frozen=True)
class Way:
    """A route and the backends it leads to."""

    number: str
    targets: tuple[Backend, ...]
    options: dict[str, Any]


def ai(backend: FakeBackend, **more: Any) -> Backend:
    """A backend that speaks our protocol."""
    return {"dialect": "sipgw", "url": backend.url, **more}


def to(number: str, *targets: Backend, **options: Any) -> Way:
    """A route for anyone."""
    return Way(number, targets, options)


def plan(*ways: Way, **sections: Any) -> dict[str, Any]:
    """The configuration with these routes; further sections, such as `media`, by name."""
    backends: dict[str, Backend] = {}
    routes = []
    for way in ways:
        names = [f"{way.number}-{place}" for place in range(len(way.targets))]
        backends |= dict(zip(names, way.targets, strict=True))
        routes.append({"number": way.number, "targets": names, "anyone": True, **way.options})
    return {"backends": backends, "routes": routes, **sections}
