"""SIP found on streams: TCP from the middle on, after holes, in WebSockets, and what is something else."""

import pytest

from sipgw.tools.capture.sip_text import SipOnStream, is_sip
from sipgw.tools.capture.tcp import Chunk
from sipgw.tools.capture.websocket import BrokenWebSocket, Deframer, opening, unmask
from tests.fakes.capture_file import sdp, sip

INVITE = sip("INVITE sip:b@test SIP/2.0", "1 INVITE", sdp(("192.0.2.1", 4000)), dialog=False)
OK = sip("SIP/2.0 200 OK", "1 INVITE", dialog=True)
UPGRADE = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n"


def framed(payload: bytes, mask: bytes = b"", first: int = 0x81) -> bytes:
    size = len(payload)
    head = bytes([first, (0x80 if mask else 0) | (size if size < 126 else 126)])
    return head + (size.to_bytes(2, "big") if size > 125 else b"") + mask + unmask(payload, mask)


def fed(*chunks: bytes | Chunk) -> list[bytes]:
    stream = SipOnStream()
    whole = [chunk if isinstance(chunk, Chunk) else Chunk(chunk) for chunk in chunks]
    return [message for chunk in whole for message in stream.feed(chunk)]


def test_messages_are_cut_from_a_stream_whatever_its_pieces() -> None:
    both = INVITE + b"\r\n\r\n" + OK
    for size in (50, 333, 5000):
        pieces = [both[at : at + size] for at in range(0, len(both), size)]
        assert fed(*pieces) == [INVITE, OK]


def test_after_a_hole_the_next_message_is_found_again() -> None:
    assert fed(INVITE[:100], Chunk(b"rest of it\r\n\r\nv=0\r\n", hole=True), OK, INVITE) == [OK, INVITE]


def test_a_message_whose_end_nobody_knows_does_not_end_the_stream() -> None:
    endless = b"INVITE sip:b@test SIP/2.0\r\nContent-Length: x\r\n\r\n"
    assert fed(OK, endless, b"\r\n" + INVITE) == [OK, INVITE]


def test_a_capture_that_begins_in_the_middle_waits_for_a_message() -> None:
    assert fed(b"a=rtpmap:0 PCMU/8000\r\n", OK) == [OK]


@pytest.mark.parametrize("mask", [b"", b"\x12\x34\x56\x78"])
def test_websocket_messages_are_unmasked(mask: bytes) -> None:
    assert fed(UPGRADE + framed(INVITE, mask), framed(OK, mask)) == [INVITE, OK]
    assert fed(UPGRADE[:40], UPGRADE[40:], framed(OK, mask)) == [OK]
    assert fed(framed(INVITE, mask), framed(OK, mask)) == [INVITE, OK]


def test_fragmented_websocket_messages_and_pings_between_are_understood() -> None:
    pieces = framed(INVITE[:300], b"mask", 0x01) + framed(b"ping", b"mask", 0x89) + framed(INVITE[300:], b"mask", 0x80)
    assert fed(UPGRADE, pieces[:7], pieces[7:]) == [INVITE]


def test_another_upgrade_and_plain_http_are_left_alone() -> None:
    stream = SipOnStream()
    assert stream.feed(Chunk(b"GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n" + INVITE)) == []
    assert stream.kind == "other"
    assert stream.feed(Chunk(INVITE)) == []


def test_tls_is_named() -> None:
    stream = SipOnStream()
    assert stream.feed(Chunk(b"\x16\x03\x01\x02\x00\x01")) == []
    assert stream.kind == "tls"


def test_frames_that_are_none_are_refused_and_bounded() -> None:
    with pytest.raises(BrokenWebSocket):
        Deframer().feed(b"\xc1\x05hello")
    with pytest.raises(BrokenWebSocket):
        Deframer().feed(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"))
    endless = Deframer()
    for _ in range(17):
        assert endless.feed(framed(bytes(60_000), first=0x01)) == []
    with pytest.raises(BrokenWebSocket):
        endless.feed(framed(bytes(60_000), first=0x01))
    assert fed(UPGRADE, b"\xc1\x05hello", framed(OK)) == [OK]
    assert opening(b"") == b""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"INVITE sip:x SIP/2.0\r\n", True),
        (b"SIP/2.0 200 OK\r\n", True),
        (b"a" * 200 + b" sip:x SIP/2.0\n", True),
        (b"\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b"INVITE", False),
        (b"", False),
    ],
)
def test_sip_is_known_by_its_first_line(data: bytes, expected: bool) -> None:
    assert is_sip(data) is expected
