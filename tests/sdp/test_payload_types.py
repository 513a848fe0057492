"""What payload types mean, in the spellings that occur."""

import pytest

from sipgw.sdp.audio import AudioStream
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import LocalAudio, accept, answer, offer

LOCAL = LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77)


def description(formats: str, *lines: str) -> Sdp:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", f"m=audio 4000 RTP/AVP {formats}")
    return Sdp.parse("\r\n".join((*head, *lines)).encode())


def agreed(formats: str, *lines: str) -> tuple[str, tuple[int, ...], int | None]:
    stream: AudioStream = answer(description(formats, *lines), LOCAL).stream
    assert stream.send_type == stream.receive_types[0]
    assert stream.dtmf_send_type == stream.dtmf_receive_type
    return stream.codec, stream.receive_types, stream.dtmf_send_type


@pytest.mark.parametrize(
    "rtpmap",
    [
        "a=rtpmap:97 PCMU/8000",
        "a=rtpmap:97 pcmu/8000/1",
        "a=rtpmap:97  PcmU / 8000 / 1",
        "a=rtpmap: 97\tPCMU/8000",
        "a=RTPMAP:97 PCMU/8000/",
        "a=rtpmap:97 PCMU",
        "a=rtpmap:97 PCMU/8000\r\na=rtpmap:97 G729/8000",
        "a=rtpmap:x PCMA/8000\r\na=rtpmap:\r\na=rtpmap:97\r\na=rtpmap:97 /\r\na=rtpmap:97 PCMU/8000",
        "a=fmtp:97 x=y\r\na=rtpmap:97 PCMU/8000",
    ],
)
def test_an_rtpmap_is_read_in_any_spelling(rtpmap: str) -> None:
    assert agreed("97", rtpmap) == ("PCMU", (97,), None)


@pytest.mark.parametrize(
    ("formats", "lines", "outcome"),
    [
        ("0", (), ("PCMU", (0,), None)),
        ("8", (), ("PCMA", (8,), None)),
        ("0 0 8 8", (), ("PCMU", (0,), None)),
        ("00", (), ("PCMU", (0,), None)),
        ("128 255 -1 x 8", (), ("PCMA", (8,), None)),
        ("0", ("a=rtpmap:0 PCMA/8000",), ("PCMA", (0,), None)),
        ("97 0", ("a=rtpmap:97 PCMU/8000",), ("PCMU", (97, 0), None)),
        ("0 96", ("a=fmtp:96 0-15",), ("PCMU", (0,), None)),
        ("0 96 97", ("a=rtpmap:96 telephone-event/48000", "a=rtpmap:97 telephone-event/8000"), ("PCMU", (0,), 97)),
        ("0 97 96", ("a=rtpmap:96 telephone-event/16000", "a=rtpmap:97 TELEPHONE-EVENT/8000/1"), ("PCMU", (0,), 97)),
        ("0 101 102", ("a=rtpmap:101 telephone-event/8000", "a=rtpmap:102 telephone-event/8000"),
         ("PCMU", (0,), 101)),
    ],
)  # fmt: skip
def test_types_that_are_odd(formats: str, lines: tuple[str, ...], outcome: tuple[str, tuple[int, ...], int]) -> None:
    assert agreed(formats, *lines) == outcome


def test_a_static_type_that_means_something_else_is_answered_with_its_meaning() -> None:
    sdp = answer(description("0", "a=rtpmap:0 PCMA/8000"), LOCAL).sdp
    assert sdp.media[0].values("rtpmap") == ["0 PCMA/8000"]


def test_an_answer_with_other_types_is_sent_its_own_and_received_under_ours() -> None:
    theirs = description("118 100 99", "a=rtpmap:118 PCMA/8000", "a=rtpmap:99 telephone-event/8000",
                         "a=rtpmap:100 telephone-event/48000")  # fmt: skip
    stream = accept(offer(LOCAL), theirs, LOCAL).stream
    assert (stream.codec, stream.receive_types, stream.send_type) == ("PCMA", (8,), 118)
    assert (stream.dtmf_receive_type, stream.dtmf_send_type) == (101, 99)
