"""A byte stream cut into messages: whatever the pieces are, and where it has to end."""

import pytest

from sipgw.sip.framing import PING, PONG, StreamFramer
from sipgw.sip.message import Malformed, parse
from tests.sip.samples import CARRIERS, INVITE, SDP, TELNYX, ZOOM, lines
from tests.sip.torture import message

BYE = lines("BYE sip:a@b SIP/2.0", "Via: SIP/2.0/TCP a;branch=z9hG4bK1")


def fed(framer: StreamFramer, data: bytes, size: int) -> list[bytes]:
    """All that comes out where `data` comes in pieces of `size` bytes."""
    return [found for at in range(0, len(data), size) for found in framer.feed(data[at : at + size])]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1460, 100_000])
def test_messages_come_out_whole_whatever_the_pieces(size: int) -> None:
    sent = [*CARRIERS.values(), BYE]
    assert fed(StreamFramer(), b"".join(sent), size) == sent


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_a_body_may_look_like_anything(size: int) -> None:
    sent = [lines("OPTIONS sip:a@b SIP/2.0", "v: SIP/2.0/TCP a", body=body) for body in (b"\r\n\r\n", BYE, b"\n", b"")]
    assert fed(StreamFramer(), b"".join(sent), size) == sent


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1000])
def test_pings_come_out_between_messages(size: int) -> None:
    assert fed(StreamFramer(), PING + BYE + PING + PING + BYE, size) == [PING, BYE, PING, PING, BYE]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_on_a_stream_we_opened_a_single_line_end_is_the_answer_to_a_ping(size: int) -> None:
    assert fed(StreamFramer(opened_by_us=True), BYE + PONG + BYE + PONG, size) == [BYE, PONG, BYE, PONG]


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"\n\n\n", b"\r"])
def test_other_empty_lines_before_a_message_are_dropped(empty: bytes, size: int) -> None:
    assert fed(StreamFramer(), empty + BYE + empty + BYE, size) == [BYE, BYE]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_lines_may_end_in_lf_alone(size: int) -> None:
    sent = BYE.replace(b"\r\n", b"\n")
    assert fed(StreamFramer(), sent + sent, size) == [sent, sent]


def test_folded_and_compact_lengths_are_read() -> None:
    sent = INVITE.replace(b"Content-Length:", b"L :\r\n ")
    assert StreamFramer().feed(sent + TELNYX + sent) == [sent, TELNYX, sent]


@pytest.mark.parametrize(
    ("data", "status", "answerable"),
    [
        (BYE.replace(b"Content-Length: 0\r\n", b""), 400, True),
        (BYE.replace(b"Length: 0", b"Length: x"), 400, True),
        (BYE.replace(b"Length: 0", b"Length: -1"), 400, True),
        (BYE.replace(b"Length: 0", b"Length: 0\r\nl: 1"), 400, True),
        (BYE.replace(b"Length: 0", b"Length: 1048577"), 513, True),
        (BYE.replace(b"Via", b"V ia"), 400, False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, False),
        (b"\0" * 70_000, 513, False),
        (BYE.replace(b"Via", b"X: " + b"x" * 70_000 + b"\r\nVia"), 513, False),
    ],
    ids=["none", "no-number", "negative", "two", "long-body", "bad-line", "http", "endless", "long-head"],
)
def test_where_the_end_cannot_be_known_the_stream_is_over(data: bytes, status: int, answerable: bool) -> None:
    framer = StreamFramer()
    with pytest.raises(Malformed) as caught:
        framer.feed(data)
    assert (caught.value.status, caught.value.request is None) == (status, not answerable)
    assert framer.broken is caught.value
    with pytest.raises(Malformed):
        framer.feed(BYE)


def test_what_was_complete_before_the_end_still_comes_out() -> None:
    framer = StreamFramer()
    assert framer.feed(BYE + PING + b"nonsense\r\n\r\n" + BYE) == [BYE, PING]
    assert framer.broken is not None
    with pytest.raises(Malformed):
        framer.feed(b"")


def test_a_message_that_only_lacks_its_body_is_waited_for() -> None:
    framer = StreamFramer()
    assert framer.feed(ZOOM[:-1]) == []
    assert framer.broken is None
    assert framer.feed(ZOOM[-1:]) == [ZOOM]


def test_the_limits_are_those_given() -> None:
    framer = StreamFramer(max_head_bytes=len(INVITE) - len(SDP), max_body_bytes=len(SDP))
    assert framer.feed(INVITE) == [INVITE]
    with pytest.raises(Malformed):
        StreamFramer(max_head_bytes=len(INVITE) - len(SDP) - 1).feed(INVITE)
    with pytest.raises(Malformed):
        StreamFramer(max_body_bytes=len(SDP) - 1).feed(INVITE)


def test_torture_on_a_stream() -> None:
    # RFC 4475 3.1.2.2: wait for the rest; 3.1.2.3 and 3.3.9: nothing says where the message ends.
    assert StreamFramer().feed(message("clerr")) == []
    for name in ("ncl", "mcl01"):
        with pytest.raises(Malformed):
            StreamFramer().feed(message(name))


def test_what_a_datagram_ignores_is_the_next_message_on_a_stream() -> None:
    # RFC 4475 3.1.1.8; the empty line between them is no ping, and the last line is longer than Content-Length says.
    first, second = StreamFramer().feed(message("dblreq"))
    assert parse(first).call_id == "dblreq.0ha0isndaksdj99sdfafnl3lk233412"
    assert parse(second).call_id == "dblreq.0ha0isnda977644900765@192.0.2.15"
    assert len(parse(second).body) == 150
