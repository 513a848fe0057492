"""The addresses of this machine, as far as every machine has them."""

import socket

import pytest

from sipgw.errors import Unavailable
from sipgw.io.addresses import of_interface, towards


def has_six() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_six = pytest.mark.skipif(not has_six(), reason="this machine has no IPv6")


def test_the_address_of_an_interface() -> None:
    assert of_interface("lo", six=False) == "127.0.0.1"


@needs_six
def test_its_ipv6_address() -> None:
    assert of_interface("lo", six=True) == "::1"


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(Unavailable, match=r"there is no interface eth77; there is .*lo"):
        of_interface("eth77", six=False)


@pytest.mark.parametrize("remote", ["127.0.0.1", pytest.param("::1", marks=needs_six)])
def test_the_way_to_ourselves_begins_here(remote: str) -> None:
    assert towards(remote) == remote
