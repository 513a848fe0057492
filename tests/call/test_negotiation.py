"""Offers and answers of one leg; what they say line by line is the sdp layer's and tested there."""

import pytest

from sipgw.call.negotiation import Negotiation
from sipgw.errors import PeerError
from sipgw.options import MediaOptions
from sipgw.sdp.model import Sdp
from tests.fakes.control import sdp

OPTIONS = MediaOptions(codecs=("PCMA", "PCMU"))


def origin(body: bytes) -> tuple[str, str]:
    """Session id and version."""
    parsed = Sdp.parse(body).origin
    return parsed.session_id, parsed.version


def test_the_ports_that_came_are_told() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp())
    assert one.codec == "PCMA"
    stream = one.begin("198.51.100.8", 20_004)
    assert stream.remote == ("192.0.2.7", 40_000)
    assert b"c=IN IP4 198.51.100.8\r\n" in one.body
    assert b"m=audio 20004 " in one.body


def test_one_session_id_for_the_whole_call_and_another_for_the_next() -> None:
    first, second = Negotiation("n1-1", OPTIONS), Negotiation("n1-2", OPTIONS)
    for one in (first, second):
        one.read(sdp())
        one.begin("198.51.100.7", 20_004)
    held, _ = first.reinvited(sdp(way="sendonly"))
    assert origin(held)[0] == origin(first.body)[0] != origin(second.body)[0]


def test_without_an_offer_the_stream_leads_nowhere_until_the_ack() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(None)
    stream = one.begin("198.51.100.7", 20_004)
    assert (one.agreed, stream.remote, stream.sending, stream.receiving) == (False, ("0.0.0.0", 0), False, False)
    later = one.acknowledged(sdp())
    assert later is not None
    assert (one.agreed, later.remote, later.codec) == (True, ("192.0.2.7", 40_000), "PCMU")


def test_without_an_offer_over_ipv6_it_leads_nowhere_of_that_family() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(None, six=True)
    assert one.begin("::1", 20_004).remote == ("::", 0)


@pytest.mark.parametrize("six", [False, True])
def test_media_are_of_the_family_that_the_far_end_wants_whatever_signalling_is(six: bool) -> None:
    other = Negotiation("n1-1", OPTIONS)
    other.read(sdp().replace(b"IP4 192.0.2.7", b"IP6 2001:db8::7"), six=six)
    assert other.six
    assert other.begin("2001:db8::1", 20_004).remote == ("2001:db8::7", 40_000)
    assert b"c=IN IP6 2001:db8::1\r\n" in other.body
    one = Negotiation("n1-2", OPTIONS)
    one.read(sdp(), six=six)
    assert not one.six


def test_a_family_that_we_have_no_address_of_is_refused() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp().replace(b"IP4 192.0.2.7", b"IP6 2001:db8::7"))
    with pytest.raises(PeerError, match="no IPv6 media here"):
        one.begin("198.51.100.7", 20_004)


def test_an_ack_of_an_answer_says_nothing_new() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp())
    one.begin("198.51.100.7", 20_004)
    assert one.acknowledged(None) is None
    assert one.acknowledged(sdp(port=41_000)) is None


def test_a_refused_offer_leaves_what_was_agreed() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp())
    one.begin("198.51.100.7", 20_004)
    with pytest.raises(PeerError) as caught:
        one.reinvited(sdp(formats="18"))
    assert caught.value.status == 488
    same, stream = one.reinvited(sdp())
    assert (same, stream) == (one.body, None)


def test_our_offer_without_its_answer_uses_a_version_up() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp())
    one.begin("198.51.100.7", 20_004)
    ours, stream = one.reinvited(None)
    assert stream is None
    with pytest.raises(PeerError):
        one.acknowledged(None)
    held, _ = one.reinvited(sdp(way="inactive"))
    assert [origin(body)[1] for body in (one.body, ours, held)] == ["1", "2", "3"]


# --- what may not be named, and what is odd ---------------------------------------------------------------------------


def named(one: Negotiation) -> list[str]:
    return [odd.name for odd in one.take_oddities()]


def test_a_place_that_may_not_be_named_is_not_used() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp(address="127.0.0.1"), "203.0.113.5")
    stream = one.begin("198.51.100.7", 20_004)
    assert (stream.remote, stream.remote_rtcp, stream.sending) == (("0.0.0.0", 0), ("0.0.0.0", 0), True)
    assert named(one) == ["loopback_named"]
    assert named(one) == []


def test_nor_is_one_for_reports() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp() + b"a=rtcp:5060 IN IP4 127.0.0.1\r\n", "203.0.113.5")
    stream = one.begin("198.51.100.7", 20_004)
    assert (stream.remote, stream.remote_rtcp) == (("192.0.2.7", 40_000), ("0.0.0.0", 0))


def test_a_re_invite_may_not_name_it_either_and_where_the_call_came_from_is_remembered() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp(), "203.0.113.5")
    one.begin("198.51.100.7", 20_004)
    other = Negotiation("n1-1", OPTIONS)
    other.restore(one.snapshot())
    for each in (one, other):
        _, stream = each.reinvited(sdp(address="127.0.0.1", version=2))
        assert stream is not None
        assert stream.remote == ("0.0.0.0", 0)


def test_who_calls_from_this_machine_may_name_it() -> None:
    one = Negotiation("n1-1", MediaOptions())
    one.read(sdp(address="127.0.0.1"), "127.0.0.1")
    assert one.begin("127.0.0.1", 20_004).remote == ("127.0.0.1", 40_000)
    assert named(one) == []


def test_a_change_without_a_new_version_is_a_change_all_the_same() -> None:
    one = Negotiation("n1-1", OPTIONS)
    one.read(sdp())
    one.begin("198.51.100.7", 20_004)
    held, stream = one.reinvited(sdp(way="sendonly"))
    assert b"a=recvonly" in held
    assert stream is not None
    assert named(one) == ["version_not_raised"]
    same, stream = one.reinvited(sdp(way="sendonly"))
    assert (same, stream, named(one)) == (held, None, [])
