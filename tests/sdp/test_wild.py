"""Descriptions with something wrong in them: what is wrong costs itself and not the call."""

import pytest

from sipgw.errors import PeerError
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import LocalAudio, answer
from tests.sdp.samples import ASTERISK

LOCAL = LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77)
PHONE = ("192.0.2.10", 17412)
NOWHERE = ("0.0.0.0", 0)


def changed(old: str, new: str) -> Sdp:
    """Asterisk's offer with something else in a place."""
    assert old.encode() in ASTERISK
    return Sdp.parse(ASTERISK.replace(old.encode(), new.encode("utf-8", "surrogateescape")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\r\n", "\n"),
        ("\r\n", "\r"),
        ("\r\n", " \t\r\n"),
        ("\r\n", "\r\n\r\n"),
        ("v=0", "\ufeffv=0"),
        ("v=0", "\r\n\r\nv=0"),
        ("o=- 1827110263 1827110263 IN IP4 192.0.2.10\r\n", ""),
        ("o=- 1827110263 1827110263 IN IP4 192.0.2.10", "o=-"),
        ("s=Asterisk\r\n", ""),
        ("s=Asterisk", "s="),
        ("s=Asterisk", "s=caf\udce9 \udcff"),
        ("t=0 0\r\n", ""),
        ("t=0 0", "t=now"),
        ("t=0 0", "t=0 0\r\nk=clear:x\r\nz=0\r\nr=1\r\nu=x\r\ne=x\r\np=x\r\ni=x\r\nb=nonsense"),
        ("t=0 0", "t=0 0\r\n=\r\njunk\r\nxx=1\r\n\0"),
        ("a=sendrecv", "a=sendrecv\r\na=\r\na=:\r\na=:x\r\na"),
        ("a=sendrecv", "a=sendrecv\r\na=x:" + "x" * 60_000),
        ("a=sendrecv", "a=sendrecv" + "\r\na=extmap:1 urn:x" * 20_000),
        ("c=IN IP4 192.0.2.10", "c=\r\nc=IN\r\nc=IN IP4\r\nc=IN IP4 192.0.2.10"),
        ("c=IN IP4 192.0.2.10", "c=IN IP4 192.0.2.10/127"),
        ("c=IN IP4 192.0.2.10", "c=IN IP6 192.0.2.10"),
        ("c=IN IP4 192.0.2.10", "c=IN IP6 [::ffff:192.0.2.10]"),
        ("a=ptime:20", "a=ptime:20\r\nc=IN"),
        ("m=audio 17412 RTP/AVP", "m=audio  17412/x\tRTP/AVP"),
        ("m=audio 17412 RTP/AVP", "m=AUDIO 17412 rtp/avp"),
        ("a=sendrecv", "a=rtcp:x\r\na=sendrecv"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_costs_that_line(old: str, new: str) -> None:
    agreement = answer(changed(old, new), LOCAL)
    stream = agreement.stream
    assert (stream.codec, stream.remote, stream.remote_rtcp[1]) == ("PCMU", PHONE, 17413)
    assert (stream.dtmf_send_type, stream.sending, stream.receiving) == (101, True, True)
    assert len(agreement.sdp.media) == 1


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("m=", "m=unreadable 0 RTP/AVP 0"),
        ("m=audio", "m=audio 0 RTP/AVP 0"),
        ("m=audio 4000", "m=audio 0 RTP/AVP 0"),
        ("m=audio 4000 RTP/AVP", "m=audio 0 RTP/AVP 0"),
        ("m=audio port RTP/AVP 0", "m=audio 0 RTP/AVP 0"),
        ("m=audio -1 RTP/AVP 0", "m=audio 0 RTP/AVP 0"),
        ("m=audio 65536 RTP/AVP 0", "m=audio 0 RTP/AVP 0"),
        ("m=audio ² RTP/AVP 0", "m=audio 0 RTP/AVP 0"),
        ("m=audio " + "9" * 5000 + " RTP/AVP 0", "m=audio 0 RTP/AVP 0"),
    ],
)
def test_a_line_of_media_that_makes_no_sense_is_refused_in_its_place(line: str, first: str) -> None:
    agreement = answer(changed("m=audio", f"{line}\r\nm=audio"), LOCAL)
    refused, taken = agreement.sdp.media
    assert str(refused) == f"{first}\r\n"
    assert taken.port == 20000
    assert agreement.stream.remote == PHONE


def test_a_line_of_media_behind_thousands_of_lines_keeps_its_place() -> None:
    sdp = changed("a=sendrecv", "a=sendrecv" + "\r\na=x" * 3000 + "\r\nm=video 5000 RTP/AVP 96")
    assert [media.port for media in answer(sdp, LOCAL).sdp.media] == [20000, 0]


def test_whoever_offers_lines_of_media_without_end_is_refused() -> None:
    with pytest.raises(PeerError, match="488 more than 64"):
        answer(changed("m=audio", "m=video 4000 RTP/AVP 96\r\n" * 64 + "m=audio"), LOCAL)


@pytest.mark.parametrize("address", ["", "c=IN IP4 gateway.example", "c=IN IP4 999.1.1.1", "c=IN IP4 \ud7ff"])
def test_without_an_address_media_waits_for_the_far_end(address: str) -> None:
    """The name of a host is legal (RFC 8866 section 5.7), and rare: it is not looked up."""
    stream = answer(changed("c=IN IP4 192.0.2.10", address), LOCAL).stream
    assert (stream.remote, stream.remote_rtcp, stream.sending, stream.receiving) == (NOWHERE, NOWHERE, True, True)


def test_who_names_no_address_and_only_listens_cannot_be_served() -> None:
    sdp = Sdp.parse(bytes(changed("c=IN IP4 192.0.2.10", "c=IN IP4 gateway.example")).replace(b"sendrecv", b"recvonly"))
    with pytest.raises(PeerError) as caught:
        answer(sdp, LOCAL)
    assert caught.value.headers == (("Warning", '301 sipgw "no IP address in c= line: gateway.example"'),)


def test_hold_by_an_address_of_zero_leads_nowhere() -> None:
    stream = answer(changed("c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0"), LOCAL).stream
    assert (stream.remote, stream.remote_rtcp, stream.sending) == (NOWHERE, NOWHERE, False)
    agreement = answer(Sdp.parse(ASTERISK.replace(b"a=sendrecv", b"a=rtcp:5000 IN IP4 0.0.0.0")), LOCAL)
    assert agreement.stream.remote_rtcp == ("192.0.2.10", 5000)
