"""Where RTP goes, by the listener a call came to."""

from sipgw.app.places import Places
from sipgw.flow import Flow
from sipgw.options import AddressOptions, ListenerOptions, SipOptions

INSIDE, OUTSIDE = AddressOptions("10.0.0.5"), AddressOptions("192.0.2.10", "198.51.100.7")
SIX, OTHERWISE = AddressOptions("2001:db8::5"), AddressOptions("127.0.0.1")
PLACES = Places(
    SipOptions(
        (
            ListenerOptions("udp", "10.0.0.5", 5060, media=(INSIDE,)),
            ListenerOptions("udp", "192.0.2.10", 5060, media=(OUTSIDE,)),
            ListenerOptions("tcp", "2001:db8::5", 5060, media=(SIX, OUTSIDE)),
        )
    ),
    OTHERWISE,
)


def flow(transport: str, host: str, port: int = 5060) -> Flow:
    return Flow(transport, (host, port), ("203.0.113.9", 5060))


def test_each_listener_has_its_own() -> None:
    assert PLACES.of(flow("udp", "10.0.0.5"), six=False) == INSIDE
    assert PLACES.of(flow("udp", "192.0.2.10"), six=False) == OUTSIDE


def test_the_far_end_gets_its_family_where_there_is_one() -> None:
    assert PLACES.of(flow("tcp", "2001:db8::5"), six=True) == SIX
    assert PLACES.of(flow("tcp", "2001:db8::5"), six=False) == OUTSIDE
    assert PLACES.of(flow("udp", "10.0.0.5"), six=True) == INSIDE


def test_a_listener_that_is_gone_leaves_the_media_sections() -> None:
    assert PLACES.of(flow("udp", "10.0.0.5", 5070), six=False) == OTHERWISE
