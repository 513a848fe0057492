"""Finding the SDP in a body."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.body import media_type, parts, sdp_of
from sipgw.sip.message import Headers, Request

SDP = b"v=0\r\ns=-\r\n"


def message(body: bytes, *headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:a@b", Headers(headers), body)


def test_no_body_is_no_sdp() -> None:
    assert sdp_of(message(b"", ("Content-Type", "application/sdp"))) is None


@pytest.mark.parametrize("kind", ["application/sdp", "Application/SDP", "application/sdp;charset=utf-8"])
def test_sdp_alone(kind: str) -> None:
    assert sdp_of(message(SDP, ("c", kind))) == SDP


def test_a_body_without_a_type_is_taken_for_sdp() -> None:
    assert sdp_of(message(SDP)) == SDP


@pytest.mark.parametrize("order", [1, -1])
def test_sdp_among_parts(order: int) -> None:
    texts = [b"Content-Type: text/plain\r\n\r\nhello", b"Content-ID: <1>\r\nc: application/sdp\r\n\r\n" + SDP][::order]
    body = b"preamble\r\n--xyz\r\n" + b"".join(b"--x\r\n" + text + b"\r\n" for text in texts) + b"--x--\r\nepilogue"
    assert sdp_of(message(body, ("Content-Type", "multipart/mixed; boundary=x"))) == SDP


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\nno type means text\r\n--x--"),
        ("multipart/mixed", b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--"),
        ("multipart/mixed;boundary=x", b"\0\xff--x"),
    ],
)
def test_a_body_without_sdp_is_refused_unless_it_may_be_ignored(kind: str, body: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        sdp_of(message(body, ("Content-Type", kind)))
    assert (caught.value.status, caught.value.headers) == (415, (("Accept", "application/sdp"),))
    optional = ("Content-Disposition", "render; Handling = optional")
    assert sdp_of(message(body, ("Content-Type", kind), optional)) is None


def test_a_media_type_is_taken_apart() -> None:
    assert media_type('Multipart/Mixed ; Boundary="a b"') == ("multipart/mixed", {"boundary": "a b"})


@pytest.mark.parametrize("boundary", ["a;b c", "=_next,part", 'quo\\"ted'])
def test_a_quoted_boundary_may_hold_what_separates_parameters(boundary: str) -> None:
    mark = boundary.replace("\\", "").encode()
    body = b"--" + mark + b"\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--" + mark + b"--\r\n"
    kind = f'multipart/mixed; boundary="{boundary}"; x=y'
    assert sdp_of(message(body, ("Content-Type", kind))) == SDP


def test_parts_whose_lines_end_in_lf_alone() -> None:
    body = b"--x\nContent-Type: application/isup\n\n\1\2\n--x\nContent-Type: application/sdp\n\nv=0\ns=-\n\n--x--\n"
    assert sdp_of(message(body, ("Content-Type", "multipart/mixed;boundary=x"))) == b"v=0\ns=-\n"


def test_parts_are_bytes() -> None:
    assert parts(b"--x\r\nContent-Type: a/b\r\n\r\n\0\xff\r\r\n--x--", "x") == [("a/b", b"\0\xff\r")]
