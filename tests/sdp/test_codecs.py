"""Codecs other than G.711 in offers and answers: channels, clocks, parameters and numbers."""

import pytest

from sipgw.sdp.formats import Format
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import LocalAudio, accept, answer, offer
from tests.sdp.samples import body

OURS = LocalAudio("192.0.2.1", 20_000, ("OPUS", "G722", "PCMU", "PCMA", "L16"), session_id=1)


def described(*lines: str, types: str) -> Sdp:
    text = "\n".join(lines)
    return Sdp.parse(
        body(f"""
        v=0
        o=- 1 1 IN IP4 192.0.2.9
        s=-
        c=IN IP4 192.0.2.9
        t=0 0
        m=audio 4000 RTP/AVP {types}
        {text}
    """)
    )


CHROME = described(
    "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:63 red/48000/2",
    "a=rtpmap:9 G722/8000", "a=rtpmap:110 telephone-event/48000", "a=rtpmap:126 telephone-event/8000",
    types="111 63 9 0 8 13 110 126",
)  # fmt: skip


def test_opus_is_taken_with_its_keys_and_with_what_the_far_end_asks_for() -> None:
    agreed = answer(CHROME, OURS)
    stream = agreed.stream
    assert (stream.codec, stream.send_type, stream.receive_types) == ("OPUS", 111, (111,))
    assert (stream.dtmf_send_type, stream.dtmf_receive_type) == (110, 110)
    assert stream.parameters == "minptime=10;useinbandfec=1"
    text = bytes(agreed.sdp).decode()
    assert "m=audio 20000 RTP/AVP 111 110\r\n" in text
    assert "a=rtpmap:111 opus/48000/2\r\n" in text
    assert "a=fmtp:111 maxplaybackrate=24000;sprop-maxcapturerate=24000;stereo=0;useinbandfec=1\r\n" in text
    assert "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n" in text


@pytest.mark.parametrize(
    ("codecs", "codec", "keys"), [(("G722", "OPUS"), "G722", 126), (("PCMA",), "PCMA", 126), (("OPUS",), "OPUS", 110)]
)
def test_our_order_decides_and_keys_are_on_the_codecs_clock(codecs: tuple[str, ...], codec: str, keys: int) -> None:
    stream = answer(CHROME, LocalAudio("192.0.2.1", 20_000, codecs, session_id=1)).stream
    assert (stream.codec, stream.dtmf_send_type) == (codec, keys)


@pytest.mark.parametrize(
    "rtpmap", ["96 opus/48000", "96 opus/48000/1", "96 opus/16000/2", "96 L16/16000/2", "96 L16/44100"]
)
def test_what_is_not_exactly_the_codec_is_another(rtpmap: str) -> None:
    stream = answer(described(f"a=rtpmap:{rtpmap}", types="96 0"), OURS).stream
    assert stream.codec == "PCMU"


def test_l16_is_known_by_its_rate_and_g722_by_its_number() -> None:
    assert answer(described("a=rtpmap:97 L16/16000", types="97"), OURS).stream.codec == "L16"
    assert answer(described(types="9"), OURS).stream.codec == "G722"


def test_an_offer_of_ours_names_all_with_keys_at_each_clock() -> None:
    text = bytes(offer(OURS)).decode()
    assert "m=audio 20000 RTP/AVP 111 9 0 8 118 101 102 103\r\n" in text
    for line in ("111 opus/48000/2", "9 G722/8000", "118 L16/16000", "101 telephone-event/8000",
                 "102 telephone-event/16000", "103 telephone-event/48000"):  # fmt: skip
        assert f"a=rtpmap:{line}\r\n" in text


@pytest.mark.parametrize(("codec", "keys"), [("OPUS", 103), ("G722", 101), ("PCMU", 101), ("L16", 102)])
def test_two_of_us_agree_on_each_codec(codec: str, keys: int) -> None:
    offered = offer(OURS)
    theirs = answer(offered, LocalAudio("192.0.2.9", 4000, (codec,), session_id=2))
    stream = accept(offered, theirs.sdp, OURS).stream
    assert (stream.codec, stream.dtmf_receive_type, stream.dtmf_send_type) == (codec, keys, keys)


def test_what_was_agreed_keeps_its_numbers_in_a_later_offer_of_ours() -> None:
    agreed = answer(described("a=rtpmap:101 opus/48000/2", "a=rtpmap:111 telephone-event/48000", types="101 111"), OURS)
    formats = {number: line for line in bytes(offer(OURS, agreed)).decode().splitlines() if line.startswith("a=rtpmap:")
               for number in [line.removeprefix("a=rtpmap:").split()[0]]}  # fmt: skip
    assert formats["101"] == "a=rtpmap:101 opus/48000/2"
    assert formats["111"] == "a=rtpmap:111 telephone-event/48000"
    assert len(formats) == 8  # each with a number of its own


def test_parameters_belong_to_their_number_the_first_line_counts_and_they_are_bounded() -> None:
    described_twice = described(
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:97 cbr=1",
        "a=fmtp:96 maxaveragebitrate=16000",
        "a=fmtp:96 cbr=1",
        types="96",
    )
    assert answer(described_twice, OURS).stream.parameters == "maxaveragebitrate=16000"
    long = described("a=rtpmap:96 opus/48000/2", f"a=fmtp:96 x={'1' * 2000}", types="96")
    assert len(answer(long, OURS).stream.parameters) == 500


def test_a_format_is_written_as_others_write_it() -> None:
    assert Format.ours(111, "OPUS", 48_000).attributes()[0].value == "111 opus/48000/2"
    assert [one.value for one in Format.ours(9, "G722", 8000).attributes()] == ["9 G722/8000"]
