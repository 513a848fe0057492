"""What the configuration has to know of each dialect: one row each."""

from collections.abc import Callable
from dataclasses import dataclass

from sipgw.ai import openai_session
from sipgw.options import BackendOptions


def no_settings(options: BackendOptions) -> None:
    """Refuse any: the dialect has none."""
    if options.settings:
        raise ValueError(f"dialect {options.dialect} has no settings")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect's needs and habits."""

    url: bool = False
    """A URL has to be given."""
    network: bool = False
    """It connects to something; the others are built in."""
    barge_in: str = "backend"
    """Where the configuration says nothing."""
    live: bool = False
    """Where the configuration says nothing."""
    check: Callable[[BackendOptions], object] = no_settings
    """Raises ValueError for settings that make no sense."""


DIALECTS: dict[str, Dialect] = {
    "echo": Dialect(barge_in="off", live=True),
    "demo": Dialect(barge_in="local"),
    "tone": Dialect(barge_in="off"),
    "sipgw": Dialect(url=True, network=True),
    "openai-realtime": Dialect(network=True, check=openai_session.settings_of),
}
