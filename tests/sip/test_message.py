"""Messages as a whole: what is read leniently, what is refused, what is printed and answered."""

import timeit
from collections.abc import Callable

import pytest

from sipgw.errors import PeerError, UsageError
from sipgw.sip.message import (
    Headers,
    Malformed,
    Request,
    Response,
    parse,
    respond,
    stamped,
    validate,
)
from tests.sip.samples import CARRIERS, INVITE, SDP, TEAMS, TELNYX, TWILIO, ZOOM, lines


def request(data: bytes) -> Request:
    parsed = parse(data)
    assert isinstance(parsed, Request)
    return parsed


def response(data: bytes) -> Response:
    parsed = parse(data)
    assert isinstance(parsed, Response)
    return parsed


def refusal(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(data)
    return caught.value


OK = lines(
    "SIP/2.0 200 OK",
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>;tag=2",
    "Call-ID: 1",
    "CSeq: 1 INVITE",
)


# What is read.


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


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\r\n\r\n" + data,
        lambda data: b"\n" + data,
        lambda data: data.replace(b"\r\n", b"\n").replace(b"Content-Length: ", b"X: "),
        lambda data: data.replace(b": ", b"  :\t ", 20),
        lambda data: data.replace(b"Call-ID: 1", b"Call-ID:\r\n\t1"),
        lambda data: data.replace(b" SIP/2.0", b" sip/2.0", 1),
        lambda data: data + b"more than was promised",
        lambda data: data.replace(b"Content-Length: %d\r\n" % len(SDP), b""),
    ],
    ids=["pings", "empty-line", "lf", "spacing", "folded", "lower-case", "longer", "no-length"],
)
def test_the_same_invite_in_other_shapes(change: Callable[[bytes], bytes]) -> None:
    invite = request(change(INVITE))
    validate(invite)
    plain = request(INVITE)
    assert (invite.via, invite.from_, invite.to, invite.cseq, invite.call_id, invite.contacts) == (
        plain.via,
        plain.from_,
        plain.to,
        plain.cseq,
        plain.call_id,
        plain.contacts,
    )
    assert invite.body.replace(b"\r\n", b"\n") == SDP.replace(b"\r\n", b"\n")


def test_a_body_may_begin_with_an_empty_line() -> None:
    data = lines("SIP/2.0 200 OK", *OK.decode().split("\r\n")[1:6], body=b"\r\n\n\r\nx")
    assert parse(data).body == b"\r\n\n\r\nx"


def test_a_message_without_an_empty_line_at_the_end_is_taken() -> None:
    assert response(OK.rstrip(b"\r\n")) == response(OK.rstrip(b"\r\n") + b"\r\n") == response(OK)


def test_latin_1_is_read_and_goes_out_in_the_same_bytes() -> None:
    name = "Jürgen Groß".encode("latin-1")
    invite = request(INVITE.replace(b"Alice", name))
    assert invite.from_.display == "Jürgen Groß"
    assert b'"' + name + b'"' in bytes(invite)
    assert b'"' + name + b'"' in bytes(respond(invite, 180, to_tag="x"))
    assert "Jürgen Groß".encode() in bytes(request(INVITE.replace(b"Alice", "Jürgen Groß".encode())))


def test_only_a_line_of_latin_1_is_read_as_such() -> None:
    data = INVITE.replace(b"Alice", b"J\xfcrgen").replace(b"Max-Forwards", "X-Name: Jürgen\r\nMax-Forwards".encode())
    assert (request(data).from_.display, request(data).headers.get("X-Name")) == ("Jürgen", "Jürgen")


# What is refused.


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 100,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"INVITE",
        b"INVITE sip:a@b\r\nVia: SIP/2.0/UDP a\r\n\r\n",
        b"\x80\x60" + bytes(170),
        b"SIP/2.0 abc OK\r\n\r\n",
        b"SIP/2.0 099 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"SIP/3.0 200 OK" + OK[14:],
        OK.replace(b"CSeq", b"CSex"),
        OK.replace(b"Via: SIP/2.0/UDP ", b"Via: "),
        OK.replace(b"Call-ID: 1", b"Call-ID: 1\r\nCall-ID: 1"),
        OK.replace(b"Content-Length: 0", b"Content-Length: 1"),
        INVITE.replace(b"INVITE", b"ACK").replace(b"Length: ", b"Length: 9"),
        INVITE.replace(b"Via", b"Vix").replace(b"Length: ", b"Length: 9"),
    ],
)
def test_what_cannot_be_answered_is_to_be_dropped(data: bytes) -> None:
    error = refusal(data)
    assert (error.discard, error.request) == (True, None)


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        (b"SIP/2.0\r\n", b"SIP/3.0\r\n", 505, "Version Not Supported"),
        (b"SIP/2.0\r\n", b"SIP/2.0 \r\n", 400, "Bad request line"),
        (b"INVITE sip", b"INVITE  sip", 400, "Bad request line"),
        (b"INVITE sip:+49", b"INVITE sip:a b", 400, "Bad request line"),
        (b"Length: ", b"Length: 9", 400, "Content-Length beyond the end"),
        (b"Length: ", b"Length: -", 400, "Bad Content-Length"),
        (b"Length: ", b"Length: 1\r\nl: ", 400, "Contradicting Content-Length"),
        (b"Max-Forwards: ", b"Max-Forwards ", 400, "Bad header line"),
        (b"Max-Forwards: ", b"Max Forwards: ", 400, "Bad header line"),
        (b"Max-Forwards: ", b": ", 400, "Bad header line"),
        (b"Max-Forwards: 69", b"X: a\rRoute: <sip:evil>", 400, "Bad header line"),
    ],
)
def test_what_can_be_answered_comes_with_the_request(old: bytes, new: bytes, status: int, reason: str) -> None:
    error = refusal(INVITE.replace(old, new, 1))
    assert (error.status, error.reason, error.discard) == (status, reason, False)
    assert error.request is not None
    answer = response(bytes(respond(error.request, error.status, error.reason, to_tag="t")))
    assert (answer.status, answer.reason) == (status, reason)
    assert (answer.via, answer.call_id, answer.from_.tag, answer.to.tag) == (
        request(INVITE).via,
        "1@192.0.2.5",
        "a1",
        "t",
    )


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"INVITE sip:", b"INVITE http:", 416),
        (b"INVITE sip:", b"INVITE ", 400),
        (b";user=phone SIP", b"?Route=x SIP", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"CSeq: 1", b"CSeq: 2147483648", 400),
        (b"CSeq: 1 INVITE\r\n", b"", 400),
        (b"CSeq: 1", b"CSeq: 1 INVITE\r\nCSeq: 1", 400),
        (b"Call-ID: 1@192.0.2.5", b"Call-ID: ", 400),
        (b"Call-ID: 1@", b"Call-ID: 1 @", 400),
        (b"Call-ID", b"X-Call-ID", 400),
        (b"From: ", b"X-From: ", 400),
        (b"To: ", b"To: sip:a@b\r\nt: ", 400),
        (b"To: <", b"To: <<", 400),
        (b"Max-Forwards: 69", b"Max-Forwards: 256", 400),
        (b"Max-Forwards: 69", b"Max-Forwards: 69\r\nMax-Forwards: 69", 400),
        (b"Max-Forwards: 69", b"Expires: 4294967296", 400),
        (b"Max-Forwards: 69", b"Route: x", 400),
        (b"Max-Forwards: 69", b"Record-Route: x", 400),
        (b"Contact: <sip", b"Contact: <", 400),
        (b"application/sdp", b"sdp", 400),
        (b";rport", b";rport=x", 400),
        (b"Via: SIP", b"Via: SIP/2.0/UDP a,, SIX", 400),
    ],
)
def test_what_a_user_agent_refuses_before_it_looks_closer(old: bytes, new: bytes, status: int) -> None:
    data = INVITE.replace(old, new, 1)
    assert data != INVITE
    with pytest.raises(PeerError) as caught:
        validate(request(data))
    assert caught.value.status == status


def test_a_tel_uri_may_be_called() -> None:
    validate(request(INVITE.replace(b"sip:+4930123456@192.0.2.1:5060;user=phone SIP", b"tel:+4930123456 SIP")))


def test_a_response_for_another_hop_is_refused() -> None:
    validate(response(OK))
    with pytest.raises(PeerError):
        validate(response(OK.replace(b"From", b"v: SIP/2.0/UDP b\r\nFrom", 1)))


def test_a_bad_header_is_refused_each_time_it_is_read() -> None:
    invite = request(INVITE.replace(b"Contact: <sip", b"Contact: <"))
    for _ in range(2):
        with pytest.raises(PeerError, match="400 Bad URI"):
            _ = invite.contact
    assert invite.call_id == "1@192.0.2.5"


# Headers.


HEADERS = Headers([("Via", "a"), ("X-One", "1"), ("v", "b, c"), ("x-ONE", "2"), ("Supported", "")])


def test_headers_are_found_in_any_spelling_and_keep_their_own() -> None:
    assert (HEADERS.get("VIA"), HEADERS.get("V"), HEADERS.get("none")) == ("a", "a", None)
    assert (HEADERS.all("via"), HEADERS.listed("via"), HEADERS.all("none")) == (("a", "b, c"), ("a", "b", "c"), ())
    assert (HEADERS.all("x-one"), HEADERS.get("k"), HEADERS.listed("Supported")) == (("1", "2"), "", ())
    assert ("X-ONE" in HEADERS, "k" in HEADERS, "none" in HEADERS, len(HEADERS)) == (True, True, False, 5)
    assert [name for name, _ in HEADERS] == ["Via", "X-One", "v", "x-ONE", "Supported"]


def test_headers_are_changed_into_new_ones() -> None:
    assert list(HEADERS.with_("x-one", "3")) == [
        ("Via", "a"),
        ("X-One", "3"),
        ("v", "b, c"),
        ("Supported", ""),
    ]
    assert list(HEADERS.without("via")) == [("X-One", "1"), ("x-ONE", "2"), ("Supported", "")]
    assert list(Headers().with_("A", "1").plus(("B", "2"), ("a", "3"))) == [("A", "1"), ("B", "2"), ("a", "3")]
    assert len(HEADERS) == 5
    assert Headers([("A", "1")]) == Headers([("A", "1")]) != Headers([("a", "1")])
    assert hash(Headers([("A", "1")])) == hash(Headers([("A", "1")]))


@pytest.mark.parametrize(
    ("compact", "name"),
    [
        *(("i", "Call-ID"), ("m", "Contact"), ("e", "Content-Encoding"), ("l", "Content-Length")),
        *(("c", "Content-Type"), ("f", "From"), ("s", "Subject"), ("k", "Supported"), ("t", "To"), ("v", "Via")),
        *(("o", "Event"), ("u", "Allow-Events"), ("r", "Refer-To"), ("b", "Referred-By"), ("x", "Session-Expires")),
        *(("a", "Accept-Contact"), ("j", "Reject-Contact"), ("d", "Request-Disposition")),
        *(("y", "Identity"), ("n", "Identity-Info")),
    ],
)
def test_compact_forms(compact: str, name: str) -> None:
    assert Headers([(compact, "x")]).get(name) == Headers([(name, "x")]).get(compact.upper()) == "x"


# What is printed.


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
    ],
)
def test_no_header_can_be_smuggled_in_a_value(message: Request) -> None:
    with pytest.raises(UsageError):
        bytes(message)


def test_a_reason_phrase_stays_on_its_line() -> None:
    assert bytes(Response(400, "a\r\nb", Headers())).startswith(b"SIP/2.0 400 a  b\r\n")


# What is answered.


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


def test_a_tag_that_is_there_stays() -> None:
    invite = request(INVITE.replace(b"To: <sip:+4930123456@192.0.2.1;user=phone>", b"To: sip:a@b ; Tag = theirs"))
    assert respond(invite, 200, to_tag="ours").headers.get("To") == "sip:a@b ; Tag = theirs"


def test_even_a_to_that_cannot_be_read_is_answered_with_a_tag() -> None:
    invite = request(INVITE.replace(b"To: <", b'To: "open <'))
    assert (respond(invite, 400, to_tag="ours").headers.get("To") or "").endswith(";tag=ours")
    assert (respond(invite, 400, to_tag="ours").headers.get("To") or "").count("tag=") == 1


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


def test_reading_an_invite_is_cheap() -> None:
    def read() -> None:
        invite = request(INVITE)
        _ = (invite.via, invite.from_, invite.to, invite.cseq, invite.contact)

    # About 40 µs on the machine this was written on; the bound only catches a change of kind.
    assert min(timeit.repeat(read, number=20, repeat=20)) / 20 < 400e-6
