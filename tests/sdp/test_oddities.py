"""What is odd about a description has a name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import PeerError
from sipgw.sdp.model import Sdp
from sipgw.sdp.oddities import Oddity, oddities
from tests.sdp.samples import ASTERISK, BARESIP, PJSUA2, SIPP, TEAMS, THREECX, ZOOM


def odd(body: bytes) -> list[Oddity]:
    return oddities(body, Sdp.parse(body))


@pytest.mark.parametrize("body", [ASTERISK, BARESIP, PJSUA2, SIPP, TEAMS, THREECX, ZOOM])
def test_there_is_nothing_odd_about_well_known_phones(body: bytes) -> None:
    assert odd(body) == []


@pytest.mark.parametrize(
    ("old", "new", "name", "detail", "ignored"),
    [
        ("\r\n", "\n", "bare_line_end", "", False),
        ("v=0", "\ufeffv=0", "byte_order_mark", "", False),
        ("s=Asterisk", "s=caf\udce9", "not_utf8", r"b'\xe9\r\nc=IN IP4 192.0.2.'", False),
        ("t=0 0", "\r\nt=0 0", "empty_line", "", False),
        ("t=0 0", "t=0 0 ", "stray_space", "t=0 0 ", False),
        ("t=0 0", "t = 0 0", "stray_space", "t = 0 0", False),
        ("s=Asterisk\r\n", "", "no_s_line", "", False),
        ("t=0 0\r\n", "", "no_t_line", "", False),
        ("o=- 1827110263 1827110263 IN IP4 192.0.2.10\r\n", "", "no_o_line", "", False),
        ("t=0 0", "t=0 0\r\njunk\x07", "no_line", "junk?", True),
        ("c=IN IP4 192.0.2.10", "c=IN IP4 pbx.example", "unreadable_address", "c=IN IP4 pbx.example", True),
        ("m=audio", "m=video\r\nm=audio", "unreadable_media", "m=video", True),
        ("m=audio 17412", "m=audio 17412/x", "unreadable_media", "m=audio 17412/x RTP/AVP 0 8 101", True),
        ("0 8 101", "0 8 101 128", "no_payload_type", "128", True),
        ("0 8 101", "0 8 101 97", "type_without_rtpmap", "97", True),
        ("0 8 101", "0 8 101 0", "type_repeated", "0 8 101 0", True),
        ("a=rtpmap:8 PCMA/8000", "a=rtpmap:8 PCMA/x", "unreadable_rtpmap", "8 PCMA/x", True),
        ("a=rtpmap:8 PCMA", "a=rtpmap:0 PCMA", "rtpmap_repeated", "0 0 101", True),
        ("a=rtpmap:0 PCMU", "a=rtpmap:0 PCMA", "static_type_moved", "0 PCMA", False),
        ("a=ptime:20", "a=ptime:20.0", "unreadable_ptime", "20.0", True),
        ("a=maxptime:140", "a=maxptime:", "unreadable_maxptime", "", True),
        ("a=ptime:20", "a=rtcp:none", "unreadable_rtcp", "none", True),
        ("a=ptime:20", "a=x:" + "y" * 5000, "long_line", "a=x:" + "y" * 56, True),
        ("a=ptime:20", "a=x\r\n" * 2000 + "a=ptime:20", "too_many_lines", "2014", True),
    ],
)
def test_each_has_its_name(old: str, new: str, name: str, detail: str, ignored: bool) -> None:
    assert old.encode() in ASTERISK
    assert odd(ASTERISK.replace(old.encode(), new.encode("utf-8", "surrogateescape"))) == [
        Oddity(name, detail, ignored)
    ]


def test_each_is_named_once() -> None:
    assert [one.name for one in odd(ASTERISK.replace(b"t=0 0", b"junk\r\nmore junk\r\nt=0 0"))] == ["no_line"]


@given(st.binary(max_size=400).map(lambda tail: b"v=0\r\nm=audio 4 RTP/AVP 0\r\n" + tail))
def test_whatever_comes_is_named_or_not(body: bytes) -> None:
    for one in odd(body):
        assert one.detail.isprintable()


@pytest.mark.parametrize(
    "repeated",
    [b"a=rtpmap:0 PCMU/8000\r\n", b"m=audio 4 RTP/AVP 0\r\n", b"c=x\r\n", b"\n", b" " * 63 + b"\n", b"a", b" ", b"0 "],
)
def test_the_longest_description_that_can_come_is_read_in_time(repeated: bytes) -> None:
    """64 KiB in one message, ten thousands of lines or one: it must not hold up other calls for long."""
    body = ASTERISK + (repeated * 65_536)[:65_536]
    began = time.process_time()
    try:
        sdp = Sdp.parse(body)
    except PeerError:
        return
    oddities(body, sdp)
    assert time.process_time() - began < 1.0
