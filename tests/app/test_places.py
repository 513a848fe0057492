"""Where calls go in and out, and what is told of it, by the listener a call came to."""

from dataclasses import replace

from sipgw.app.places import Places, all_addresses, offline
from sipgw.flow import Flow
from sipgw.options import AddressOptions, ListenerOptions, SipOptions

INSIDE, OUTSIDE = AddressOptions("10.0.0.5"), AddressOptions("192.0.2.10", "198.51.100.7")
SIX, OTHERWISE = AddressOptions("2001:db8::5"), AddressOptions("127.0.0.1")
OPTIONS = SipOptions(
    (
        ListenerOptions("udp", "10.0.0.5", 5060, media=(INSIDE,)),
        ListenerOptions("udp", "0.0.0.0", 5070, "auto", media=(OUTSIDE,)),
        ListenerOptions("tcp", "2001:db8::5", 5060, "sbc.example.com", media=(SIX, OUTSIDE)),
    )
)


def told(address: AddressOptions, remote: str) -> str:
    """What was asked for."""
    return f"{address.host} {address.advertised or 'itself'} for {remote}"


PLACES = Places(OPTIONS, OTHERWISE, told)


def flow(transport: str, host: str, port: int = 5060) -> Flow:
    return Flow(transport, (host, port), ("203.0.113.9", 5060))


def test_each_listener_has_its_own() -> None:
    assert PLACES.of(flow("udp", "10.0.0.5"), six=False) == INSIDE
    assert PLACES.of(flow("udp", "0.0.0.0", 5070), six=False) == OUTSIDE


def test_the_far_end_gets_its_family_where_there_is_one() -> None:
    assert PLACES.of(flow("tcp", "2001:db8::5"), six=True) == SIX
    assert PLACES.of(flow("tcp", "2001:db8::5"), six=False) == OUTSIDE
    assert PLACES.of(flow("udp", "10.0.0.5"), six=True) == INSIDE


def test_a_listener_that_is_gone_leaves_the_media_sections() -> None:
    assert PLACES.of(flow("udp", "10.0.0.5", 5070), six=False) == OTHERWISE


def test_in_via_and_contact_names_are_told_as_they_are_and_addresses_found_out() -> None:
    assert PLACES.name(flow("tcp", "2001:db8::5")) == "sbc.example.com"
    assert PLACES.name(flow("udp", "10.0.0.5")) == "10.0.0.5 itself for 203.0.113.9"
    assert PLACES.name(flow("udp", "0.0.0.0", 5070)) == "0.0.0.0 auto for 203.0.113.9"
    assert PLACES.name(flow("udp", "10.0.0.9")) == "10.0.0.9"


def test_in_sdp_only_addresses_are_told() -> None:
    place = replace(SIX, advertised="media.example.com")
    assert PLACES.address(place, flow("tcp", "2001:db8::5")) == "2001:db8::5 media.example.com for 203.0.113.9"


def test_what_has_to_be_known_of_all_listeners() -> None:
    found = list(all_addresses(OPTIONS))
    assert found == [AddressOptions("10.0.0.5"), INSIDE, AddressOptions("0.0.0.0", "auto"), OUTSIDE, SIX, OUTSIDE]


def test_without_a_network_only_what_is_written_is_told() -> None:
    assert [one.advertised for one in offline(OPTIONS).listeners] == ["", "", "sbc.example.com"]
