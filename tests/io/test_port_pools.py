"""RTP ports on several addresses."""

import os
import socket
from collections.abc import Iterator

import pytest

from sipgw.errors import Unavailable
from sipgw.io.port_pools import PortPools
from sipgw.io.ports import PortPair
from sipgw.options import MediaOptions

HERE, THERE = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def first() -> int:
    """The first of two ports that are free on both addresses, even."""
    for base in range(34_000, 60_000, 2):
        try:
            for address in ((host, port) for host in (HERE, THERE) for port in (base, base + 1)):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(address)
        except OSError:
            continue
        return base
    pytest.fail("no two free ports in a row")


@pytest.fixture
def pools(first: int) -> PortPools:
    return PortPools(MediaOptions(first_port=first, last_port=first + 1, port_rest=5.0), (HERE, THERE))


@pytest.fixture
def pairs(pools: PortPools) -> Iterator[list[PortPair]]:
    """One on each address; closed afterwards."""
    taken = [pools.take(HERE, 0.0), pools.take(THERE, 0.0)]
    yield taken
    for pair in taken:
        pair.rtp.close()
        pair.rtcp.close()


def test_each_address_has_the_whole_range(pools: PortPools, pairs: list[PortPair], first: int) -> None:
    assert [(pair.host, pair.port) for pair in pairs] == [(HERE, first), (THERE, first)]
    assert (pools.size, pools.in_use) == (2, 2)
    with pytest.raises(Unavailable, match="no RTP ports left"):
        pools.take(HERE, 0.0)


def test_a_pair_goes_back_to_its_address_once_and_rests(pools: PortPools, pairs: list[PortPair]) -> None:
    pools.give_back(pairs[1], 1.0)
    pools.give_back(pairs[1], 1.0)
    assert pools.in_use == 1
    with pytest.raises(Unavailable):
        pools.take(THERE, 5.9)
    pairs[1] = pools.take(THERE, 6.0)
    assert pairs[1].host == THERE


def test_ports_of_a_process_that_died_rest_wherever_they_were(pools: PortPools, first: int) -> None:
    pools.rest({first}, 0.0)
    for host in (HERE, THERE):
        with pytest.raises(Unavailable, match="1 resting"):
            pools.take(host, 4.9)


def test_a_pair_of_a_process_that_died_is_in_use_on_its_address(
    pools: PortPools, pairs: list[PortPair], first: int
) -> None:
    after = PortPools(MediaOptions(first_port=first, last_port=first + 1, port_rest=5.0), (HERE,))
    mine, stray = (after.adopt((os.dup(pair.descriptors[0]), os.dup(pair.descriptors[1]))) for pair in pairs)
    assert (mine.host, stray.host, after.size, after.in_use) == (HERE, THERE, 1, 2)
    with pytest.raises(Unavailable, match="1 pairs of 1 in use"):
        after.take(HERE, 0.0)
    after.give_back(mine, 0.0)
    after.give_back(stray, 0.0)
    assert after.in_use == 0
