"""What is read leniently, what is refused, and what a refusal carries."""

from collections.abc import Callable

import pytest

from sipgw.sip.message import Malformed, parse, respond, validate
from tests.sip.samples import INVITE, OK, SDP, lines, request, response


def refusal(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(data)
    return caught.value


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


def test_the_first_empty_line_ends_the_head_whatever_ends_the_lines() -> None:
    data = OK.replace(b"Content-Length: 0\r\n\r\n", b"X: y").replace(b"\r\n", b"\n") + b"\n\nbody\r\n\r\nmore"
    assert response(data).body == b"body\r\n\r\nmore"


def test_a_message_without_an_empty_line_at_the_end_is_taken() -> None:
    assert response(OK.rstrip(b"\r\n")) == response(OK.rstrip(b"\r\n") + b"\r\n") == response(OK)


def test_only_a_line_of_latin_1_is_read_as_such() -> None:
    data = INVITE.replace(b"Alice", b"J\xfcrgen").replace(b"Max-Forwards", "X-Name: Jürgen\r\nMax-Forwards".encode())
    assert (request(data).from_.display, request(data).headers.get("X-Name")) == ("Jürgen", "Jürgen")


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
        OK.replace(b"200 OK", b"200 O\rK"),
        INVITE.replace(b"sip:", b"sip:\r", 1),
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
    assert refusal(data).request is None


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
    assert (error.status, error.reason, error.request is None) == (status, reason, False)
    assert error.request is not None
    answer = response(bytes(respond(error.request, error.status, error.reason, to_tag="t")))
    assert (answer.status, answer.reason) == (status, reason)
    assert (answer.via, answer.call_id, answer.from_.tag, answer.to.tag) == (
        request(INVITE).via,
        "1@192.0.2.5",
        "a1",
        "t",
    )
