"""Responses: what they copy, whose tag they carry; and requests stamped with their source."""

import pytest

from sipgw.sip.message import respond, stamped
from tests.sip.samples import INVITE, TWILIO, ZOOM, request


def test_a_response_copies_what_it_must_and_nothing_else() -> None:
    data = INVITE.replace(
        b"Max-Forwards", b"Timestamp: 54\r\nRecord-Route: <sip:p;lr>\r\nv: SIP/2.0/UDP q\r\nMax-Forwards"
    )
    answer = respond(request(data), 183, to_tag="ours", headers=[("Contact", "<sip:us>")], body=b"x")
    assert (answer.status, answer.reason, answer.body) == (183, "Session Progress", b"x")
    assert list(answer.headers) == [
        ("Via", "SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bK-1;rport"),
        ("Record-Route", "<sip:p;lr>"),
        ("v", "SIP/2.0/UDP q"),
        ("From", '"Alice" <sip:+4940654321@192.0.2.5>;tag=a1'),
        ("To", "<sip:+4930123456@192.0.2.1;user=phone>;tag=ours"),
        ("Call-ID", "1@192.0.2.5"),
        ("CSeq", "1 INVITE"),
        ("Contact", "<sip:us>"),
    ]
    assert [name for name, _ in respond(request(data), 486).headers] == ["Via", "v", "From", "To", "Call-ID", "CSeq"]
    trying = respond(request(data), 100)
    assert (trying.headers.get("Timestamp"), trying.to.tag, "Record-Route" in trying.headers) == ("54", None, False)


def test_only_what_can_open_a_dialog_gets_its_route_back() -> None:
    routed = INVITE.replace(b"Max-Forwards", b"Record-Route: <sip:p;lr>\r\nMax-Forwards")
    assert "Record-Route" in respond(request(routed), 200).headers
    assert "Record-Route" not in respond(request(routed.replace(b"INVITE", b"OPTIONS")), 200).headers


def test_a_tag_that_is_there_stays() -> None:
    invite = request(INVITE.replace(b"To: <sip:+4930123456@192.0.2.1;user=phone>", b"To: sip:a@b ; Tag = theirs"))
    assert respond(invite, 200, to_tag="ours").headers.get("To") == "sip:a@b ; Tag = theirs"


def test_even_a_to_that_cannot_be_read_is_answered_with_a_tag() -> None:
    invite = request(INVITE.replace(b"To: <", b'To: "open <'))
    to = respond(invite, 400, to_tag="ours").headers.get("To")
    assert to == '"open <sip:+4930123456@192.0.2.1;user=phone>;tag=ours'
    tagged = request(INVITE.replace(b"To: <", b"To: x<<").replace(b"user=phone>", b"user=phone>;tag=1"))
    assert respond(tagged, 400, to_tag="ours").headers.get("To") == "x<<sip:+4930123456@192.0.2.1;user=phone>;tag=1"


def test_our_tag_leaves_the_bytes_of_a_name_as_they_are() -> None:
    invite = request(INVITE.replace(b"To: <", b'To: "J\xfcrgen" <'))
    assert b'To: "J\xfcrgen" <sip:+4930123456@192.0.2.1;user=phone>;tag=ours\r\n' in bytes(
        respond(invite, 200, to_tag="ours")
    )


@pytest.mark.parametrize(
    ("status", "reason"), [(100, "Trying"), (200, "OK"), (481, "Call/Transaction Does Not Exist"), (499, "Unknown")]
)
def test_reasons_are_the_registered_ones(status: int, reason: str) -> None:
    assert respond(request(INVITE), status).reason == reason
    assert respond(request(INVITE), status, "Mine").reason == "Mine"


def test_a_request_is_stamped_with_its_source_on_the_first_of_several_hops() -> None:
    zoom = stamped(request(ZOOM), "198.51.100.9", 40000)
    assert [str(via) for via in zoom.vias] == [
        "SIP/2.0/TLS 162.12.232.1:5061;branch=z9hG4bKa;rport=40000;received=198.51.100.9",
        "SIP/2.0/TLS 10.10.1.2:5091;received=10.10.1.3;branch=z9hG4bKb",
        "SIP/2.0/UDP 10.10.1.4;branch=z9hG4bKc",
    ]
    twilio = stamped(request(TWILIO), "198.51.100.9", 40000)
    assert [str(via) for via in twilio.vias] == [
        "SIP/2.0/UDP 54.172.60.2:5060;branch=z9hG4bK8a.1;received=198.51.100.9",
        "SIP/2.0/UDP 172.25.1.1:5060;rport=5060;received=10.255.1.1;branch=z9hG4bK-b",
    ]
    assert stamped(request(TWILIO), "54.172.60.2", 5060) == request(TWILIO)
