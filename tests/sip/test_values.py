"""Via, parties, CSeq and parameters: read, changed and printed."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.uri import Uri
from sipgw.sip.values import CSeq, NameAddr, Via

VIA = "SIP/2.0/UDP pc33.atlanta.com:5066;branch=z9hG4bK776asdhds;rport"


def test_a_via_and_its_parts() -> None:
    via = Via.parse(VIA)
    assert (via.transport, via.host, via.port) == ("UDP", "pc33.atlanta.com", 5066)
    assert (via.branch, via.rport, via.wants_rport, via.received) == ("z9hG4bK776asdhds", None, True, None)
    assert str(via) == VIA


@pytest.mark.parametrize(
    "text",
    [
        "sip / 2.0 /\tudp  \t[2001:db8::9:1] : 6050 ; branch = z9hG4bK1 ; rport = 17 ; received = 192.0.2.1",
        "SIP/2.0/UDP [2001:db8::9:1]:6050;BRANCH=z9hG4bK1;RPort=17;Received=192.0.2.1",
    ],
)
def test_a_via_may_be_spaced_and_spelled_oddly(text: str) -> None:
    via = Via.parse(text)
    assert (via.transport.upper(), via.host, via.port) == ("UDP", "[2001:db8::9:1]", 6050)
    assert (via.branch, via.rport, via.received, via.is_unique) == ("z9hG4bK1", 17, "192.0.2.1", True)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 UDP host",
        "SIP/7.0/UDP host",
        "HTTP/2.0/UDP host",
        "SIP/2.0/UDP host:65536",
        "SIP/2.0/UDP host:x",
        "SIP/2.0/UDP host;",
        "SIP/2.0/UDP host;;branch=1",
        "SIP/2.0/UDP host;=1",
        "SIP/2.0/UDP host branch=1",
        "SIP/2.0/UDP 2001:db8::1",
        'SIP/2.0/UDP host;x="open',
        "SIP/2.0/UDP a, SIP/2.0/UDP b",
    ],
)
def test_what_is_no_via(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        Via.parse(text)


@pytest.mark.parametrize("branch", ["", ";branch=", ";branch=z9hG4bK", ";branch=1234"])
def test_a_branch_without_the_cookie_and_more_is_not_unique(branch: str) -> None:
    assert not Via.parse(f"SIP/2.0/UDP a{branch}").is_unique


@pytest.mark.parametrize(
    ("sent", "source", "stamped"),
    [
        # RFC 3261 18.2.1: received only where it says something new.
        ("SIP/2.0/UDP 192.0.2.1", ("192.0.2.1", 5060), "SIP/2.0/UDP 192.0.2.1"),
        ("SIP/2.0/UDP 10.1.1.1;branch=z", ("192.0.2.1", 9), "SIP/2.0/UDP 10.1.1.1;branch=z;received=192.0.2.1"),
        ("SIP/2.0/UDP pc.example.com", ("192.0.2.1", 9), "SIP/2.0/UDP pc.example.com;received=192.0.2.1"),
        ("SIP/2.0/TCP [2001:DB8:0::9]", ("2001:db8::9", 9), "SIP/2.0/TCP [2001:DB8:0::9]"),
        ("SIP/2.0/UDP [2001:db8::9]", ("2001:db8::7", 9), "SIP/2.0/UDP [2001:db8::9];received=2001:db8::7"),
        # RFC 3581 4: the port in its place, and received in any case.
        (
            "SIP/2.0/UDP 192.0.2.1;rport;branch=z",
            ("192.0.2.1", 9988),
            "SIP/2.0/UDP 192.0.2.1;rport=9988;branch=z;received=192.0.2.1",
        ),
        # What the sender claims of its own source does not count.
        ("SIP/2.0/UDP 192.0.2.1;received=6.6.6.6", ("192.0.2.1", 5060), "SIP/2.0/UDP 192.0.2.1"),
        (
            "SIP/2.0/UDP 192.0.2.1;rport=1;received=6.6.6.6",
            ("192.0.2.2", 5062),
            "SIP/2.0/UDP 192.0.2.1;rport=5062;received=192.0.2.2",
        ),
    ],
)
def test_a_via_is_stamped_with_its_source(sent: str, source: tuple[str, int], stamped: str) -> None:
    assert str(Via.parse(sent).with_source(*source)) == stamped


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ("sip:a@b", "", "sip:a@b", ""),
        ("sip:a@b;tag=1", "", "sip:a@b", ";tag=1"),
        ("<sip:a@b;user=phone>;tag=1", "", "sip:a@b;user=phone", ";tag=1"),
        ('"A. B, Sr." <sip:a@b>', "A. B, Sr.", "sip:a@b", ""),
        (r'"a \"b\" \\c"<sip:a@b>', r'a "b" \c', "sip:a@b", ""),
        ("Alice Smith <sip:a@b> ;tag=1", "Alice Smith", "sip:a@b", ";tag=1"),
        ("Bell, Alexander <sip:a@b>;tag=43", "Bell, Alexander", "sip:a@b", ";tag=43"),
        ('"" <sip:a@b>', "", "sip:a@b", ""),
        ('"<not this>" <sip:a@b>', "<not this>", "sip:a@b", ""),
        ("<tel:+15551234567;phone-context=x>;tag=z", "", "tel:+15551234567;phone-context=x", ";tag=z"),
        (
            '<sip:a@b>;+sip.instance="<urn:uuid:1>";reg-id=1',
            "",
            "sip:a@b",
            ';+sip.instance="<urn:uuid:1>";reg-id=1',
        ),
        ('sip:a@b;x="<c>"', "", "sip:a@b", ';x="<c>"'),
        ("<sip:+49@h?Reason=SIP%3Bcause%3D302>;index=1.1", "", "sip:+49@h?Reason=SIP%3Bcause%3D302", ";index=1.1"),
    ],
)
def test_a_party_and_its_parts(text: str, display: str, uri: str, params: str) -> None:
    party = NameAddr.parse(text)
    assert (party.display, party.uri.raw, str(party.params)) == (display, uri, params)
    assert NameAddr.parse(str(party)) == party


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "Alice",
        '"Alice <sip:a@b>',
        "Alice sip:a@b>",
        "<sip:a@b",
        "< sip:a@b >",
        "<sip:a@b>;",
        "<sip:a@b> x",
        "<sip:a@b>, <sip:c@d>",
        "sip:a@b?x=y",
        "sip:a,b@c",
        "<sip:a@b>;tag=1,",
        '"a" "b" <sip:a@b>',
    ],
)
def test_what_is_no_party(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        NameAddr.parse(text)


def test_a_tag_is_read_set_and_replaced() -> None:
    party = NameAddr.parse("sip:a@b;x=y")
    assert party.tag is None
    assert str(party.with_tag("1")) == "<sip:a@b>;x=y;tag=1"
    assert party.with_tag("1").with_tag("2").tag == "2"
    assert NameAddr.parse("<sip:a@b>;TAG=q").tag == "q"
    assert NameAddr.parse("<sip:a@b>;tag=").tag is None


def test_a_display_name_is_always_printed_in_quotes() -> None:
    assert str(NameAddr('say "hi"', Uri.parse("sip:a@b"))) == r'"say \"hi\"" <sip:a@b>'


def test_a_contact_of_a_star_is_read() -> None:
    star = NameAddr.parse(" * ")
    assert (star.uri.scheme, str(star)) == ("*", "*")


@pytest.mark.parametrize(
    ("text", "number", "method"),
    [("1 INVITE", 1, "INVITE"), ("0009\t  ACK", 9, "ACK"), ("2147483647 x", 2147483647, "x")],
)
def test_a_cseq_and_its_parts(text: str, number: int, method: str) -> None:
    assert CSeq.parse(text) == CSeq(number, method)
    assert str(CSeq(number, method)) == f"{number} {method}"


@pytest.mark.parametrize("text", ["", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE", "1 INVITE x", "1 @"])
def test_what_is_no_cseq(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        CSeq.parse(text)
