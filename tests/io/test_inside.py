"""No address of the inside is taken for one of the outside, in whatever clothes it comes."""

import pytest

from sipgw.io.inside import EVERYWHERE, Reach


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1"),
        *("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),  # metadata of several clouds
        *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::1", "2002:a9fe:a9fe::", "64:ff9b:1::1"),
        *("localhost", "", "2130706433", "0x7f.1", "127.1"),
    ],
)
def test_nothing_inside_is_reached(address: str) -> None:
    assert not Reach().allows(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_the_outside_is(address: str) -> None:
    assert Reach().allows(address)


def test_what_is_inside_can_be_allowed_by_network() -> None:
    reach = Reach.of(["10.1.0.0/16", "127.0.0.1", "fd00::/8"])
    assert all(map(reach.allows, ("10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fd12::1", "8.8.8.8")))
    assert not any(map(reach.allows, ("10.2.0.1", "127.0.0.2", "fe80::1", "169.254.169.254")))


def test_all_of_it_can_be_allowed() -> None:
    reach = Reach(EVERYWHERE)
    assert all(map(reach.allows, ("127.0.0.1", "::1", "10.0.0.1", "169.254.169.254")))
    assert not reach.allows("not an address")
