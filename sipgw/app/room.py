"""How many calls there is room for: by the configuration, by its ports, by the files the system lets us open."""

import resource

from sipgw.io.port_pools import PortPools
from sipgw.settings import Settings

_A_CALL = 6
"""Descriptors, where media runs in the main process: two ports, their duplicates for the worker, the AI's socket, and
one to spare. With workers no process has more: the main one has the ports and duplicates, a worker three a call.
"""
_BESIDES = 1024


def wanted_calls(settings: Settings) -> int:
    """As many at a time as the configuration allows and has ports for."""
    pairs = PortPools(settings.media_options(), settings.media_hosts()).size
    return min(settings.calls.max_calls or pairs, pairs)


def descriptors_for(calls: int) -> int:
    """How many descriptors so many calls need."""
    return _BESIDES + _A_CALL * calls


def calls_within(descriptors: int) -> int:
    """How many calls so many descriptors suffice for."""
    return max(descriptors - _BESIDES, 0) // _A_CALL


def most_descriptors(wanted: int) -> int:
    """How many of those wanted the system will let us have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
