"""Lines that we take and lines that we do not: SRTP beside RTP, other kinds of media, bundles, ICE, rtcp-mux."""

import pytest

from sipgw.errors import PeerError
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import LocalAudio, answer
from tests.sdp.samples import body

LOCAL = LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77)
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"

BROWSER = """
    a=group:BUNDLE 0 1
    a=msid-semantic: WMS *
    a=ice-options:trickle renomination
    m=audio 50000 RTP/AVPF 111 0 110 126
    c=IN IP4 192.0.2.1
    a=rtcp:50000 IN IP4 192.0.2.1
    a=candidate:1 1 udp 2113937151 10.0.0.7 50000 typ host generation 0
    a=candidate:2 1 udp 1677729535 203.0.113.4 61000 typ srflx raddr 10.0.0.7 rport 50000
    a=candidate:3 1 tcp 1518280447 10.0.0.7 9 typ host tcptype active
    a=ice-ufrag:4ZcD
    a=ice-pwd:2/1muCWoOi3uLifh0NuRHlEU
    a=fingerprint:sha-1 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70
    a=setup:actpass
    a=mid:0
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
    a=msid:stream track
    a=rtcp-mux
    a=rtcp-rsize
    a=rtcp-fb:111 transport-cc
    a=rtpmap:111 opus/48000/2
    a=fmtp:111 minptime=10;useinbandfec=1
    a=rtpmap:0 PCMU/8000
    a=rtpmap:110 telephone-event/48000
    a=rtpmap:126 telephone-event/8000
    a=ssrc:3735928559 cname:x
    a=ssrc-group:FID 1 2
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
    m=video 50002 RTP/AVPF 96
    a=mid:1
    a=rtpmap:96 VP8/90000
    a=rtcp-mux
"""


def offered(lines: str) -> Sdp:
    return Sdp.parse(body(HEAD + lines))


def lines_of(lines: str) -> list[str]:
    """The `m=` lines of the answer."""
    return [str(media).partition("\r")[0] for media in answer(offered(lines), LOCAL).sdp.media]


def warning(lines: str) -> str:
    with pytest.raises(PeerError) as caught:
        answer(offered(lines), LOCAL)
    assert caught.value.status == 488
    return dict(caught.value.headers)["Warning"]


def test_of_secure_and_plain_lines_the_plain_one_is_taken_wherever_it_stands() -> None:
    savp, avp = "m=audio 4000 RTP/SAVP 0 8", "m=audio 4002 RTP/AVP 0 8"
    assert lines_of(f"{savp}\n{avp}") == ["m=audio 0 RTP/SAVP 0 8", "m=audio 20000 RTP/AVP 0"]
    assert lines_of(f"{avp}\n{savp}") == ["m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/SAVP 0 8"]


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "TCP/RTP/AVP"])
def test_other_transports_alone_are_refused_and_the_warning_says_which_are_served(protocol: str) -> None:
    text = f'302 sipgw "{protocol} is not served, only RTP/AVP and RTP/AVPF are"'
    assert warning(f"m=audio 4000 {protocol} 0") == text


def test_more_feedback_is_answered_as_it_was_offered() -> None:
    assert lines_of("m=audio 4000 RTP/AVPF 0") == ["m=audio 20000 RTP/AVPF 0"]


def test_other_kinds_of_media_are_refused_line_by_line() -> None:
    others = ["image 6 udptl t38", "video 6 RTP/AVP 96", "text 6 RTP/AVP 98", "application 6 TCP/BFCP *",
              "message 6 TCP/MSRP *", "x-new 6 a/b c"]  # fmt: skip
    got = lines_of("\n".join(f"m={other}" for other in (*others, "audio 4000 RTP/AVP 0", *others)))
    refused = [f"m={other.replace(' 6 ', ' 0 ')}" for other in others]
    assert got == [*refused, "m=audio 20000 RTP/AVP 0", *refused]


def test_of_several_lines_of_audio_the_first_that_is_of_use_is_taken() -> None:
    unusable = "m=audio 4000 RTP/AVP 18\nm=audio 0 RTP/AVP 0\nm=audio 4002 RTP/AVP 0\nc=IN IP6 2001:db8::1\n"
    agreement = answer(offered(unusable + "m=audio 4004 RTP/AVP 8\nm=audio 4006 RTP/AVP 0"), LOCAL)
    assert [media.port for media in agreement.sdp.media] == [0, 0, 0, 20000, 0]
    assert (agreement.line, agreement.stream.codec, agreement.stream.remote) == (3, "PCMA", ("192.0.2.1", 4004))


def test_a_browsers_whole_offer_without_srtp_is_answered_in_plain_words() -> None:
    agreement = answer(offered(BROWSER), LOCAL)
    assert bytes(agreement.sdp) == body("""
        v=0
        o=- 77 1 IN IP4 198.51.100.5
        s=-
        c=IN IP4 198.51.100.5
        t=0 0
        m=audio 20000 RTP/AVPF 0 126
        a=rtpmap:0 PCMU/8000
        a=rtpmap:126 telephone-event/8000
        a=fmtp:126 0-15
        a=ptime:20
        a=sendrecv
        m=video 0 RTP/AVPF 96
    """)
    assert (agreement.stream.remote, agreement.stream.remote_rtcp) == (("192.0.2.1", 50000), ("192.0.2.1", 50000))


def test_an_ice_agent_without_a_candidate_yet_is_not_on_hold() -> None:
    zero = "m=audio 9 RTP/AVP 0\nc=IN IP4 0.0.0.0\na=rtcp:9 IN IP4 0.0.0.0"
    stream = answer(offered(f"{zero}\na=ice-ufrag:x\na=ice-pwd:y\na=ice-options:trickle"), LOCAL).stream
    assert (stream.remote, stream.sending, stream.receiving) == (("0.0.0.0", 0), True, True)
    stream = answer(offered(zero), LOCAL).stream
    assert (stream.sending, stream.receiving) == (False, False)


@pytest.mark.parametrize("attribute", ["ice-lite", "ice-mismatch", "remote-candidates:1 192.0.2.9 4", "rtcp-mux-only"])
def test_attributes_of_ice_and_mux_change_nothing(attribute: str) -> None:
    plain = answer(offered("m=audio 4000 RTP/AVP 0"), LOCAL)
    for lines in (f"a={attribute}\nm=audio 4000 RTP/AVP 0", f"m=audio 4000 RTP/AVP 0\na={attribute}"):
        assert answer(offered(lines), LOCAL) == plain


def test_a_line_that_only_a_bundle_carries_is_no_line_of_its_own() -> None:
    assert warning("a=group:BUNDLE 0 1\nm=audio 0 RTP/AVP 0\na=bundle-only\na=mid:0").startswith("304")
