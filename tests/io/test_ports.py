"""RTP port pairs."""

import resource
import socket
from collections.abc import Iterator

import pytest

from sipgw.errors import Unavailable
from sipgw.io.ports import PortPair, PortPool, raise_descriptor_limit
from sipgw.options import MediaOptions


@pytest.fixture
def first() -> int:
    """The first of eight ports that are free on loopback, even."""
    for base in range(33_000, 60_000, 8):
        try:
            for port in range(base, base + 8):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    pytest.fail("no eight free ports in a row")


@pytest.fixture
def taken() -> Iterator[list[PortPair]]:
    """Collects pairs and closes them."""
    pairs: list[PortPair] = []
    yield pairs
    for pair in pairs:
        pair.rtp.close()
        pair.rtcp.close()


def pool(first: int, last: int) -> PortPool:
    return PortPool(MediaOptions(first_port=first, last_port=last, port_rest=5.0))


def test_rtp_is_even_and_rtcp_the_next(first: int, taken: list[PortPair]) -> None:
    taken.append(pool(first, first + 7).take(0.0))
    [pair] = taken
    assert pair.port % 2 == 0
    assert pair.rtp.getsockname() == ("127.0.0.1", pair.port)
    assert pair.rtcp.getsockname() == ("127.0.0.1", pair.port + 1)
    assert pair.descriptors == (pair.rtp.fileno(), pair.rtcp.fileno())
    assert not pair.rtp.getblocking()
    assert pair.rtp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2


def test_only_whole_pairs_of_the_range_are_used(first: int, taken: list[PortPair]) -> None:
    odd = pool(first + 1, first + 6)
    assert odd.size == 2
    taken += [odd.take(0.0), odd.take(0.0)]
    assert {pair.port for pair in taken} == {first + 2, first + 4}


def test_a_range_that_is_used_up_is_unavailable(first: int, taken: list[PortPair]) -> None:
    small = pool(first, first + 3)
    taken += [small.take(0.0), small.take(0.0)]
    with pytest.raises(Unavailable, match="2 pairs of 2 in use"):
        small.take(0.0)


def test_a_pair_rests_before_it_is_used_again(first: int, taken: list[PortPair]) -> None:
    one = pool(first, first + 1)
    one.give_back(one.take(0.0), now=10.0)
    assert one.in_use == 0
    with pytest.raises(Unavailable, match="1 resting"):
        one.take(14.9)
    taken.append(one.take(15.0))
    assert taken[0].port == first


def test_a_pair_given_back_twice_counts_once(first: int) -> None:
    one = pool(first, first + 1)
    pair = one.take(0.0)
    one.give_back(pair, 0.0)
    one.give_back(pair, 0.0)
    assert one.in_use == 0
    one.give_back(one.take(9.0), 9.0)
    with pytest.raises(Unavailable):
        one.take(9.0)


@pytest.mark.parametrize("which", [0, 1])
def test_a_pair_of_which_another_program_has_one_is_passed_over(first: int, which: int, taken: list[PortPair]) -> None:
    two = pool(first, first + 3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", first + which))
        taken.append(two.take(0.0))
        assert taken[0].port == first + 2
        with pytest.raises(Unavailable):
            two.take(0.0)
    taken.append(two.take(5.0))
    assert taken[1].port == first


def test_an_address_of_another_machine_says_so_instead_of_trying_every_port() -> None:
    with pytest.raises(Unavailable, match=r"set media\.host"):
        PortPool(MediaOptions(host="203.0.113.9")).take(0.0)


def test_a_pair_that_could_not_be_opened_for_want_of_descriptors_is_not_lost(first: int, taken: list[PortPair]) -> None:
    one = pool(first, first + 1)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno() + 1, before[1]))
        try:
            with pytest.raises(Unavailable, match="Too many open files"):
                one.take(0.0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    taken.append(one.take(0.0))
    assert one.in_use == 1


def test_the_descriptor_limit_goes_as_far_as_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_descriptor_limit(64) >= 64
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        wanted = 300 if before[1] == resource.RLIM_INFINITY else min(300, before[1])
        assert raise_descriptor_limit(300) == wanted
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
