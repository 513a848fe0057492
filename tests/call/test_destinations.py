"""Where RTP may go on the word of an SDP."""

import pytest

from sipgw.call.destinations import Destinations
from sipgw.options import MediaOptions

OWN = "198.51.100.7"
CARRIER = "203.0.113.5"


def objection(host: str, source: str = CARRIER, port: int = 4000, **options: object) -> str:
    media = MediaOptions(host=OWN, **options)  # type: ignore[arg-type]
    return Destinations(media, lambda port: port in (20_000, 20_001)).objection((host, port), OWN, source)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("203.0.113.9", ""),
        ("10.1.2.3", ""),
        ("192.168.1.5", ""),
        ("2001:db8::5", ""),
        ("fd00::5", ""),
        ("127.0.0.1", "loopback_named"),
        ("127.8.9.1", "loopback_named"),
        ("::1", "loopback_named"),
        ("169.254.169.254", "link_local_named"),
        ("fe80::1", "link_local_named"),
        ("fe80::1%eth0", "link_local_named"),
        ("224.0.0.1", "multicast_named"),
        ("ff02::1", "multicast_named"),
        ("255.255.255.255", "broadcast_named"),
        ("250.1.1.1", "broadcast_named"),
        ("0.1.2.3", "broadcast_named"),
    ],
)
def test_what_may_be_named(host: str, name: str) -> None:
    assert objection(host) == name


@pytest.mark.parametrize(
    ("host", "source", "name"),
    [
        ("127.0.0.1", "127.0.0.1", ""),
        ("127.0.0.1", "", "loopback_named"),
        ("127.0.0.1", "169.254.1.1", "loopback_named"),
        ("169.254.7.7", "169.254.1.1", ""),
        ("fe80::1", "fe80::9", ""),
        ("fe80::1", "127.0.0.1", "link_local_named"),
    ],
)
def test_who_is_on_this_machine_or_link_may_name_it(host: str, source: str, name: str) -> None:
    assert objection(host, source) == name


def test_a_port_of_ours_may_not_be_named_by_any_of_our_addresses() -> None:
    assert objection(OWN, port=20_000) == "own_port_named"
    assert objection(OWN, port=20_001) == "own_port_named"
    assert objection(OWN, port=20_002) == "", "another program's, such as a PBX on this machine"
    assert objection("192.0.2.99", port=20_000) == ""
    assert objection("192.0.2.99", port=20_000, advertised="192.0.2.99") == "own_port_named"


def test_who_listens_everywhere_has_the_loopback_address_as_well() -> None:
    rule = Destinations(MediaOptions(host="0.0.0.0", advertised=OWN), lambda port: True)
    assert rule.objection(("127.0.0.1", 20_000), OWN, "127.0.0.1") == "own_port_named"


def test_what_is_allowed_may_be_named() -> None:
    allowed = ("127.0.0.0/8", "169.254.1.1", OWN)
    for host in ("127.0.0.1", "169.254.1.1", OWN):
        assert objection(host, port=20_000, allowed_destinations=allowed) == ""
    assert objection("169.254.1.2", allowed_destinations=allowed) == "link_local_named"
