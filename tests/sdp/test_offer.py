"""Offer and answer, against descriptions in the shapes phones and carriers send."""

from contextlib import suppress
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import PeerError, UsageError
from sipgw.media.plane import Stream
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import AudioStream, LocalAudio, accept, answer, offer
from tests.sdp.samples import ASTERISK, BARESIP, PJSUA2, SIPP, TEAMS, THREECX, ZOOM, body, recorded
from tests.shared import shared

LOCAL = LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77)


def offered(*lines: str, address: str = "192.0.2.1") -> Sdp:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", f"c=IN IP{6 if ':' in address else 4} {address}", "t=0 0")
    return Sdp.parse("\r\n".join((*head, *lines)).encode())


def refused(sdp: Sdp, local: LocalAudio = LOCAL) -> str:
    """The code of the Warning in the refusal of an offer."""
    with pytest.raises(PeerError) as caught:
        answer(sdp, local)
    assert caught.value.status == 488
    ((name, value),) = caught.value.headers
    assert name == "Warning"
    assert value.count('"') == 2
    return value[:3]


def test_an_ordinary_offer_gets_an_answer_of_one_codec_and_keys() -> None:
    agreement = answer(Sdp.parse(ASTERISK), LOCAL)
    assert bytes(agreement.sdp) == body("""
        v=0
        o=- 77 1 IN IP4 198.51.100.5
        s=-
        c=IN IP4 198.51.100.5
        t=0 0
        m=audio 20000 RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=sendrecv
    """)
    assert agreement.stream == AudioStream("PCMU", ("192.0.2.10", 17412), ("192.0.2.10", 17413), (0,), 0, 101, 101)


def test_what_was_agreed_is_the_media_planes_stream() -> None:
    stream = Stream(**asdict(answer(Sdp.parse(ASTERISK), LOCAL).stream))
    assert (stream.codec, stream.remote, stream.receive_types) == ("PCMU", ("192.0.2.10", 17412), (0,))


@pytest.mark.parametrize(
    ("sample", "codec", "codec_type", "event_type", "rtcp_port"),
    [
        (ASTERISK, "PCMU", 0, 101, 17413),
        (SIPP, "PCMA", 8, 101, 6001),
        (BARESIP, "PCMU", 0, 101, 10161),
        (PJSUA2, "PCMU", 0, 121, 4001),
    ],
    ids=["asterisk", "sipp", "baresip", "pjsua2"],
)
def test_known_phones_are_answered(sample: bytes, codec: str, codec_type: int, event_type: int, rtcp_port: int) -> None:
    stream = answer(Sdp.parse(sample), LOCAL).stream
    assert (stream.codec, stream.send_type, stream.receive_types) == (codec, codec_type, (codec_type,))
    assert (stream.dtmf_receive_type, stream.dtmf_send_type) == (event_type, event_type)
    assert stream.remote_rtcp == (stream.remote[0], rtcp_port)


def test_our_order_of_codecs_decides() -> None:
    assert answer(Sdp.parse(ASTERISK), replace(LOCAL, codecs=("PCMA", "PCMU"))).stream.codec == "PCMA"


def test_nothing_we_do_not_do_is_echoed() -> None:
    text = bytes(answer(Sdp.parse(BARESIP), LOCAL).sdp) + bytes(answer(Sdp.parse(PJSUA2), LOCAL).sdp)
    for name in (b"rtcp-mux", b"ssrc", b"crypto", b"candidate", b"label", b"group", b"rtcp:", b"rsize"):
        assert name not in text


def test_secure_media_alone_is_refused_by_its_transport() -> None:
    assert refused(Sdp.parse(TEAMS)) == "302"
    assert refused(Sdp.parse(ZOOM)) == "302"


def test_of_a_secure_and_a_plain_line_the_plain_one_is_taken() -> None:
    agreement = answer(Sdp.parse(THREECX), LOCAL)
    assert [(m.port, m.protocol, m.formats) for m in agreement.sdp.media] == [
        (0, "RTP/SAVP", ("0", "8", "101")),
        (20000, "RTP/AVP", ("0", "101")),
    ]
    assert agreement.line == 1
    assert agreement.stream.remote == ("192.0.2.30", 9018)


def test_every_line_is_answered_in_its_place() -> None:
    sdp = offered(
        "m=image 6022 udptl t38", "m=video 5000 RTP/AVP 96", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0"
    )
    media = answer(sdp, LOCAL).sdp.media
    assert [str(m).split("\r\n")[0] for m in media] == [
        "m=image 0 udptl t38",
        "m=video 0 RTP/AVP 96",
        "m=audio 20000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
    ]


def test_offers_that_do_not_fit_say_why() -> None:
    assert refused(offered()) == "304"
    assert refused(offered("m=video 4000 RTP/AVP 96")) == "304"
    assert refused(offered("m=audio 0 RTP/AVP 0")) == "304"
    assert refused(offered("m=audio 4000 RTP/AVP 9 18")) == "305"
    assert refused(offered("m=audio 4000 UDP/TLS/RTP/SAVPF 0")) == "302"
    assert refused(offered("m=audio 4000 RTP/AVP 0", address="2001:db8::1")) == "301"
    assert refused(offered("m=audio 4000 RTP/AVP 0", address="224.2.1.1")) == "330"


def test_codecs_are_known_by_any_dynamic_payload_type_and_any_case() -> None:
    sdp = offered("m=audio 4000 RTP/AVP 97 110", "a=rtpmap:97 pcma/8000/1", "a=rtpmap:110 Telephone-Event/8000")
    stream = answer(sdp, LOCAL).stream
    assert (stream.codec, stream.send_type, stream.dtmf_send_type) == ("PCMA", 97, 110)


def test_an_rtpmap_overrides_the_static_meaning() -> None:
    assert refused(offered("m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/16000")) == "305"
    assert refused(offered("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/8000/2")) == "305"


def test_a_codec_offered_twice_is_received_under_both_numbers() -> None:
    stream = answer(offered("m=audio 4000 RTP/AVP 97 0", "a=rtpmap:97 PCMU/8000"), LOCAL).stream
    assert (stream.receive_types, stream.send_type) == ((97, 0), 97)


def test_keys_on_another_clock_are_no_keys() -> None:
    stream = answer(offered("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/48000"), LOCAL).stream
    assert stream.dtmf_receive_type is None
    stream = answer(Sdp.parse(ASTERISK), replace(LOCAL, dtmf=False)).stream
    assert stream.dtmf_receive_type is None


@pytest.mark.parametrize(
    ("theirs", "ours", "sending", "receiving"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
def test_directions_are_mirrored(theirs: str, ours: str, sending: bool, receiving: bool) -> None:
    for sdp in (offered("m=audio 4000 RTP/AVP 0", f"a={theirs}"), offered(f"a={theirs}", "m=audio 4000 RTP/AVP 0")):
        agreement = answer(sdp, LOCAL)
        assert agreement.sdp.direction_of(agreement.sdp.media[0]) == ours
        assert (agreement.stream.sending, agreement.stream.receiving) == (sending, receiving)


def test_an_address_of_zero_is_hold() -> None:
    stream = answer(offered("m=audio 4000 RTP/AVP 0", address="0.0.0.0"), LOCAL).stream
    assert (stream.sending, stream.receiving) == (False, False)
    stream = answer(offered("m=audio 4000 RTP/AVP 0", "a=sendonly", address="0.0.0.0"), LOCAL).stream
    assert (stream.sending, stream.receiving) == (False, True)


@pytest.mark.parametrize(
    ("lines", "ptime_ms"),
    [
        ((), 20),
        (("a=ptime:30",), 30),
        (("a=ptime:60",), 60),
        (("a=ptime:120",), 20),
        (("a=ptime:5",), 20),
        (("a=ptime:25",), 20),
        (("a=ptime:x",), 20),
        (("a=maxptime:10",), 10),
        (("a=ptime:40", "a=maxptime:35"), 30),
        (("a=maxptime:150",), 20),
    ],
)
def test_the_packet_length_wished_is_sent_where_we_can(lines: tuple[str, ...], ptime_ms: int) -> None:
    agreement = answer(offered("m=audio 4000 RTP/AVP 0", *lines), LOCAL)
    assert agreement.stream.ptime_ms == ptime_ms
    assert agreement.sdp.media[0].value("ptime") == str(ptime_ms)


@pytest.mark.parametrize(
    ("attribute", "rtcp"),
    [
        ("a=rtcp:5000", ("192.0.2.1", 5000)),
        ("a=rtcp:5000 IN IP4 192.0.2.9", ("192.0.2.9", 5000)),
        ("a=rtcp:5000 IN IP4 nowhere", ("192.0.2.1", 5000)),
        ("a=rtcp:0", ("192.0.2.1", 4001)),
        ("a=rtcp:99999", ("192.0.2.1", 4001)),
        ("a=rtcp", ("192.0.2.1", 4001)),
        ("a=sendrecv", ("192.0.2.1", 4001)),
    ],
)
def test_reports_go_where_they_are_wanted(attribute: str, rtcp: tuple[str, int]) -> None:
    assert answer(offered("m=audio 4000 RTP/AVP 0", attribute), LOCAL).stream.remote_rtcp == rtcp


def test_ipv6_is_answered_with_ipv6() -> None:
    agreement = answer(offered("m=audio 4000 RTP/AVP 0", address="2001:db8::1"), replace(LOCAL, address="2001:db8::5"))
    assert b"c=IN IP6 2001:db8::5\r\n" in bytes(agreement.sdp)
    assert agreement.stream.remote == ("2001:db8::1", 4000)


def test_a_mapped_ipv4_address_is_the_ipv4_address() -> None:
    stream = answer(offered("m=audio 4000 RTP/AVP 0", address="::ffff:192.0.2.10"), LOCAL).stream
    assert stream.remote == ("192.0.2.10", 4000)


def test_a_local_address_that_is_none_is_our_own_mistake() -> None:
    with pytest.raises(UsageError):
        answer(Sdp.parse(ASTERISK), replace(LOCAL, address="gateway.example"))
    with pytest.raises(UsageError):
        answer(Sdp.parse(ASTERISK), replace(LOCAL, codecs=("G729",)))


def test_the_version_rises_only_when_the_answer_changes() -> None:
    first = answer(Sdp.parse(ASTERISK), LOCAL)
    same = answer(Sdp.parse(ASTERISK), LOCAL, first)
    assert bytes(same.sdp) == bytes(first.sdp)
    held = answer(Sdp.parse(ASTERISK.replace(b"sendrecv", b"sendonly")), LOCAL, same)
    assert (held.sdp.origin.session_id, held.sdp.origin.version) == ("77", "2")
    back = answer(Sdp.parse(ASTERISK), LOCAL, held)
    assert back.sdp.origin.version == "3"


def test_an_offer_of_ours_names_all_we_have() -> None:
    assert bytes(offer(LOCAL)) == body("""
        v=0
        o=- 77 1 IN IP4 198.51.100.5
        s=-
        c=IN IP4 198.51.100.5
        t=0 0
        m=audio 20000 RTP/AVP 0 8 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=sendrecv
    """)
    assert offer(replace(LOCAL, dtmf=False, codecs=("PCMA",))).media[0].formats == ("8",)


def test_two_of_us_agree() -> None:
    far = LocalAudio("198.51.100.9", 30000, ("PCMA",), session_id=5)
    ours = offer(LOCAL)
    theirs = answer(ours, far)
    agreement = accept(ours, theirs.sdp, LOCAL)
    assert agreement.sdp is ours
    assert agreement.stream == AudioStream("PCMA", ("198.51.100.9", 30000), ("198.51.100.9", 30001), (8,), 8, 101, 101)
    assert theirs.stream.remote == ("198.51.100.5", 20000)


def test_an_answer_with_numbers_of_its_own_is_sent_those_and_sends_ours() -> None:
    theirs = offered(
        "m=audio 4000 RTP/AVP 98 99", "a=rtpmap:98 PCMA/8000", "a=rtpmap:99 telephone-event/8000", "a=ptime:40"
    )
    stream = accept(offer(LOCAL), theirs, LOCAL).stream
    assert (stream.codec, stream.receive_types, stream.send_type, stream.ptime_ms) == ("PCMA", (8,), 98, 40)
    assert (stream.dtmf_receive_type, stream.dtmf_send_type) == (101, 99)


def test_an_answer_without_keys_gets_none() -> None:
    stream = accept(offer(LOCAL), offered("m=audio 4000 RTP/AVP 0"), LOCAL).stream
    assert (stream.dtmf_receive_type, stream.dtmf_send_type) == (None, None)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((), "304"),
        (("m=video 4000 RTP/AVP 0",), "304"),
        (("m=audio 0 RTP/AVP 0",), "304"),
        (("m=audio 4000 RTP/SAVP 0",), "302"),
        (("m=audio 4000 RTP/AVP 9",), "305"),
    ],
)
def test_an_answer_that_takes_nothing_of_ours_is_refused(lines: tuple[str, ...], code: str) -> None:
    with pytest.raises(PeerError) as caught:
        accept(offer(LOCAL), offered(*lines), LOCAL)
    assert caught.value.headers[0][1].startswith(code)


def test_a_later_offer_keeps_numbers_lines_and_session() -> None:
    first = answer(
        offered(
            "m=video 5000 RTP/AVP 96", "m=audio 4000 RTP/AVP 97 110",
            "a=rtpmap:97 PCMA/8000", "a=rtpmap:110 telephone-event/8000",
        ),
        LOCAL,
    )  # fmt: skip
    again = offer(LOCAL, first)
    assert [(m.kind, m.port) for m in again.media] == [("video", 0), ("audio", 20000)]
    assert again.media[1].formats == ("0", "97", "110")
    assert (again.origin.session_id, again.origin.version) == ("77", "2")
    reply = offered("m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 97 110",
                    "a=rtpmap:97 PCMA/8000", "a=rtpmap:110 telephone-event/8000")  # fmt: skip
    assert accept(again, reply, LOCAL).stream == first.stream
    assert offer(LOCAL, accept(again, reply, LOCAL)).origin.version == "2"


def test_a_later_offer_gives_keys_a_number_that_no_codec_has() -> None:
    first = answer(offered("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 PCMU/8000"), LOCAL)
    assert offer(LOCAL, first).media[0].formats == ("101", "8", "102")
    assert offer(replace(LOCAL, dtmf=False), first).media[0].formats == ("101", "8")


@pytest.mark.parametrize(
    ("name", "local_address", "outcome"),
    [
        ("ipv6-in-sdp", "2001:db8::5", "305"),  # G.726 only
        ("ipv4-mapped-ipv6", "198.51.100.5", "305"),
        ("mult-ip-in-sdp", "198.51.100.5", "PCMU"),
        ("mult-ip-in-sdp", "2001:db8::5", "301"),  # its audio is IPv4
    ],
)
def test_descriptions_of_rfc_5118_are_understood(name: str, local_address: str, outcome: str) -> None:
    _, _, sdp = shared(f"sip-torture/rfc5118/{name}").read_bytes().partition(b"\r\n\r\n")
    local = replace(LOCAL, address=local_address)
    if outcome.isdigit():
        assert refused(Sdp.parse(sdp), local) == outcome
    else:
        agreement = answer(Sdp.parse(sdp), local)
        assert (agreement.stream.codec, agreement.stream.remote) == (outcome, ("192.0.2.1", 22334))
        assert [m.port for m in agreement.sdp.media] == [20000, 0]


@pytest.mark.parametrize("sdp", recorded())
def test_descriptions_recorded_from_phones_and_gateways_are_answered_or_refused_with_a_reason(sdp: bytes) -> None:
    offer = Sdp.parse(sdp)
    plain = any(m.kind == "audio" and m.port and {"0", "8"} & set(m.formats) for m in offer.media)
    if plain:
        agreement = answer(offer, LOCAL)
        assert len(agreement.sdp.media) == len(offer.media)
        assert Sdp.parse(bytes(agreement.sdp)) == agreement.sdp
    else:
        assert refused(offer) in ("304", "305")


media_lines = st.builds(
    "m={} {} {} {}".format,
    st.sampled_from(["audio", "Audio", "video", "image"]),
    st.integers(0, 65_535),
    st.sampled_from(["RTP/AVP", "rtp/avpf", "RTP/SAVP", "udptl"]),
    st.lists(st.sampled_from(["0", "8", "96", "101", "127", "128", "t38", "*"]), min_size=1).map(" ".join),
)
other_lines = st.tuples(
    st.sampled_from("abckt"),
    st.sampled_from(["rtpmap:96", "rtpmap:101", "fmtp:101", "ptime:", "rtcp:", "IN IP4", "IN IP6", "sendonly"]),
    st.text(st.characters(exclude_characters="\r\n"), max_size=20),
).map(lambda parts: "{}={} {}".format(*parts))


@given(st.lists(media_lines | other_lines, max_size=10), st.sampled_from(["192.0.2.1", "2001:db8::1", "0.0.0.0", "x"]))
def test_any_offer_gets_an_answer_line_by_line_or_a_named_refusal(lines: list[str], address: str) -> None:
    with suppress(PeerError):
        sdp = offered(*lines, address=address)
        agreement = answer(sdp, LOCAL)
        assert [m.kind for m in agreement.sdp.media] == [m.kind for m in sdp.media]
        assert Sdp.parse(bytes(agreement.sdp)) == agreement.sdp
        accept(offer(LOCAL), sdp, LOCAL)
