"""Messages as a whole: their parts, the shapes carriers send, and how they print."""

import timeit

import pytest

from sipgw.errors import PeerError, UsageError
from sipgw.sip.message import Headers, Request, Response, respond, validate
from tests.sip.samples import CARRIERS, INVITE, SDP, TEAMS, TELNYX, TWILIO, ZOOM, request


def test_a_plain_invite() -> None:
    invite = request(INVITE)
    validate(invite)
    assert (invite.method, invite.uri) == ("INVITE", "sip:+4930123456@192.0.2.1:5060;user=phone")
    assert (invite.target.user_text, invite.target.port) == ("+4930123456", 5060)
    assert (invite.via.host, invite.via.port, invite.via.branch) == ("192.0.2.5", 5060, "z9hG4bK-1")
    assert (invite.from_.display, invite.from_.tag, invite.to.tag) == ("Alice", "a1", None)
    assert (invite.call_id, invite.cseq.number, invite.cseq.method) == ("1@192.0.2.5", 1, "INVITE")
    assert (invite.max_forwards, invite.content_type, invite.body) == (69, "application/sdp", SDP)
    assert str(invite.contact) == "<sip:alice@192.0.2.5:5060>"
    assert (invite.routes, invite.record_routes, invite.require, invite.supported) == ((), (), (), ())


@pytest.mark.parametrize("name", CARRIERS)
def test_what_carriers_send_is_taken_and_printed_alike(name: str) -> None:
    invite = request(CARRIERS[name])
    validate(invite)
    assert invite.body == SDP
    assert request(bytes(invite)) == invite


def test_the_shapes_carriers_are_known_for() -> None:
    assert [via.branch for via in request(ZOOM).vias] == ["z9hG4bKa", "z9hG4bKb", "z9hG4bKc"]
    assert [route.uri.param("lr") for route in request(ZOOM).record_routes] == ["", ""]
    assert request(ZOOM).from_.display == "Smith, Bob"
    assert request(TEAMS).from_.display == "Alice"
    assert [item.partition(">")[2] for item in request(TEAMS).headers.listed("History-Info")] == [
        ";index=1",
        ";index=1.1",
    ]
    contact = request(TEAMS).contact
    assert contact is not None
    assert contact.uri.param("x-c") == "/v1/ngc/call/7a3d/d/8/s/1/0"
    assert request(TWILIO).record_routes[0].uri.param("twnat") == "sip:10.255.1.1:5060"
    assert request(TWILIO).vias[1].rport == 5060
    assert request(TELNYX).content_type == "application/sdp"
    assert (request(TELNYX).supports("timer"), request(TELNYX).supports("100rel")) == (True, False)
    assert request(TELNYX).headers.get("Session-Expires") == "600;refresher=uas"


def test_a_bad_header_is_refused_each_time_it_is_read() -> None:
    invite = request(INVITE.replace(b"Contact: <sip", b"Contact: <"))
    for _ in range(2):
        with pytest.raises(PeerError, match="400 Bad URI"):
            _ = invite.contact
    assert invite.call_id == "1@192.0.2.5"


def test_a_header_is_read_once() -> None:
    invite = request(INVITE)
    assert invite.via is invite.via
    assert invite.contact is invite.contact
    assert invite.target is invite.target


def test_latin_1_is_read_and_goes_out_in_the_same_bytes() -> None:
    name = "Jürgen Groß".encode("latin-1")
    invite = request(INVITE.replace(b"Alice", name))
    assert invite.from_.display == "Jürgen Groß"
    assert b'"' + name + b'"' in bytes(invite)
    assert b'"' + name + b'"' in bytes(respond(invite, 180, to_tag="x"))
    assert "Jürgen Groß".encode() in bytes(request(INVITE.replace(b"Alice", "Jürgen Groß".encode())))


def test_a_request_is_printed_with_the_length_of_its_body() -> None:
    sent = Request("OPTIONS", "sip:a@b", Headers([("l", "99"), ("X", "ü")]), b"\0\xff")
    assert bytes(sent) == "OPTIONS sip:a@b SIP/2.0\r\nl: 2\r\nX: ü\r\n\r\n".encode() + b"\0\xff"
    assert bytes(Response(200, "", Headers())) == b"SIP/2.0 200 \r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "message",
    [
        Request("A", "sip:a@b", Headers([("X", "1\r\nRoute: <sip:evil>")])),
        Request("A", "sip:a@b", Headers([("X", "1\nRoute: <sip:evil>")])),
        Request("A", "sip:a@b", Headers([("X", "1\rRoute: <sip:evil>")])),
        Request("A", "sip:a@b", Headers([("X\r\nY", "1")])),
        Request("A", "sip:a@b SIP/2.0\r\nX: y", Headers()),
        Request("A", "sip:a@b\r\nX:y", Headers()),
        Request("A b", "sip:a@b", Headers()),
        Request("A", "sip:a@b x", Headers()),
    ],
)
def test_no_header_can_be_smuggled_in_a_value(message: Request) -> None:
    with pytest.raises(UsageError):
        bytes(message)


def test_a_reason_phrase_stays_on_its_line() -> None:
    assert bytes(Response(400, "a\r\nb", Headers())).startswith(b"SIP/2.0 400 a  b\r\n")


def test_reading_an_invite_is_cheap() -> None:
    def read() -> None:
        invite = request(INVITE)
        _ = (invite.via, invite.from_, invite.to, invite.cseq, invite.contact)

    # About 40 µs on the machine this was written on; the bound only catches a change of kind.
    assert min(timeit.repeat(read, number=20, repeat=20)) / 20 < 400e-6
