"""SDP as it is sent: read, kept, printed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import PeerError
from sipgw.sdp.lines import Attribute, Line
from sipgw.sdp.model import Media, Origin, Sdp
from tests.sdp.samples import ASTERISK, TEAMS, recorded


def lines(*text: str) -> bytes:
    return "".join(f"{line}\r\n" for line in text).encode()


def test_a_plain_description_is_read() -> None:
    sdp = Sdp.parse(ASTERISK)
    assert sdp.origin == Origin("1827110263", "1827110263", "192.0.2.10")
    assert (sdp.name, sdp.address) == ("Asterisk", "192.0.2.10")
    (audio,) = sdp.media
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == ("audio", 17412, "RTP/AVP", ("0", "8", "101"))
    assert audio.values("rtpmap") == ["0 PCMU/8000", "8 PCMA/8000", "101 telephone-event/8000"]
    assert (audio.value("ptime"), audio.value("nothing")) == ("20", None)


def test_what_is_printed_is_what_came() -> None:
    for body in (ASTERISK, TEAMS):
        assert bytes(Sdp.parse(body)) == body


def test_attributes_of_security_are_kept() -> None:
    crypto = Sdp.parse(TEAMS).media[0].values("crypto")
    assert len(crypto) == 2
    assert crypto[0].startswith("1 AES_CM_128_HMAC_SHA1_80 inline:")


def test_bare_newlines_odd_spacing_and_missing_lines_are_taken() -> None:
    body = b"v=0\n\nc = IN IP4 192.0.2.1 \nm =audio  4000   RTP/AVP  0 \na= SendOnly\n\n\0"
    sdp = Sdp.parse(body)
    assert (sdp.address, sdp.name, sdp.timing) == ("192.0.2.1", "-", "0 0")
    assert (sdp.media[0].port, sdp.media[0].formats) == (4000, ("0",))
    assert sdp.direction_of(sdp.media[0]) == "sendonly"


def test_lines_nobody_knows_are_kept() -> None:
    sdp = Sdp.parse(
        lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "x=odd", "junk", "t=0 0", "m=audio 1 RTP/AVP 0", "y=2")
    )
    assert sdp.lines == (Line("x", "odd"), Line("", "junk"))
    assert sdp.media[0].lines == (Line("y", "2"),)
    assert Sdp.parse(bytes(sdp)) == sdp


def test_session_level_address_and_direction_are_inherited_and_overridden() -> None:
    sdp = Sdp.parse(
        lines(
            "v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1/127", "t=0 0", "a=inactive",
            "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "c=IN IP6 2001:db8::1", "a=recvonly",
        )
    )  # fmt: skip
    assert [sdp.address_of(media) for media in sdp.media] == ["192.0.2.1", "2001:db8::1"]
    assert [sdp.direction_of(media) for media in sdp.media] == ["inactive", "recvonly"]


def test_without_any_direction_a_stream_goes_both_ways() -> None:
    sdp = Sdp.parse(lines("v=0", "m=audio 4000 RTP/AVP 0"))
    assert sdp.direction_of(sdp.media[0]) == "sendrecv"


def test_several_media_lines_keep_their_order_and_port_counts() -> None:
    sdp = Sdp.parse(lines("v=0", "m=video 4000/2 RTP/AVP 96 97", "m=image 0 udptl t38"))
    assert [str(media) for media in sdp.media] == ["m=video 4000/2 RTP/AVP 96 97\r\n", "m=image 0 udptl t38\r\n"]


def test_latin_1_and_other_bytes_come_out_as_they_went_in() -> None:
    body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=caf\xe9 \xff\r\nt=0 0\r\n"
    assert bytes(Sdp.parse(body)) == body


def test_lines_are_printed_in_the_order_of_the_grammar() -> None:
    media = Media("audio", 4, "RTP/AVP", ("0",), "192.0.2.1", (Attribute("ptime", "20"),), (Line("b", "AS:80"),))
    assert str(media).split("\r\n")[1:4] == ["c=IN IP4 192.0.2.1", "b=AS:80", "a=ptime:20"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"INVITE sip:a SIP/2.0",
        b"v=1\r\n",
        b"m=audio 1 RTP/AVP 0\r\nv=0\r\n",
    ],
)
def test_what_is_no_description_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        Sdp.parse(body)
    assert caught.value.status == 400


@given(
    st.binary(max_size=300)
    | st.lists(
        st.tuples(st.sampled_from("vosctmabx "), st.sampled_from(["=", "", " = "]), st.text(max_size=30)), max_size=12
    ).map(lambda parts: b"v=0\r\n" + "\n".join("".join(part) for part in parts).encode("utf-8", "replace"))
)
def test_any_bytes_are_a_description_or_a_bad_request(body: bytes) -> None:
    with suppress(PeerError):
        sdp = Sdp.parse(body)
        printed = bytes(sdp)
        assert bytes(Sdp.parse(printed)) == printed
        assert len(Sdp.parse(printed).media) == len(sdp.media)


@pytest.mark.parametrize("body", recorded())
def test_descriptions_recorded_from_phones_and_gateways_are_read_and_printed_without_loss(body: bytes) -> None:
    sdp = Sdp.parse(body)
    assert Sdp.parse(bytes(sdp)) == sdp
    assert sdp.media
    came, printed = (sorted(line.strip() for line in text.splitlines()) for text in (body, bytes(sdp)))
    assert [line for line in printed if line not in came and line[:2] not in (b"o=", b"s=", b"t=")] == []
