"""RTP headers: plain and odd ones, junk, and RTCP on the same port."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.rtp.packet import HEADER_BYTES, BadPacket, Packet, header, is_rtcp, pack, parse

PLAIN = bytes.fromhex("80 00 1234 00000140 deadbeef") + b"audio"


def test_a_plain_packet_is_read() -> None:
    assert parse(PLAIN) == Packet(0, False, 0x1234, 320, 0xDEADBEEF, b"audio")


def test_the_header_says_where_the_payload_lies() -> None:
    payload_type, marker, sequence, timestamp, ssrc, start, end = header(memoryview(PLAIN))
    assert (payload_type, marker, sequence, timestamp, ssrc) == (0, False, 0x1234, 320, 0xDEADBEEF)
    assert PLAIN[start:end] == b"audio"


def test_the_marker_is_no_part_of_the_payload_type() -> None:
    packet = parse(bytes.fromhex("80 e5 0001 00000000 00000001"))
    assert (packet.payload_type, packet.marker, packet.payload) == (101, True, b"")


def test_csrc_list_extension_and_padding_are_no_payload() -> None:
    data = bytes.fromhex("b2 08 0001 00000000 000000010000000a 0000000bbede 0001 01020304") + b"ab\0\0\x03"
    assert parse(data).payload == b"ab"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too_short"),
        (PLAIN[: HEADER_BYTES - 1], "too_short"),
        (b"\x00\x01\x00\x00" + bytes(16), "bad_version"),  # STUN
        (b"\x16" + bytes(20), "bad_version"),  # DTLS
        (b"\x82" + bytes(15), "bad_csrc"),
        (b"\x90" + bytes(13), "bad_extension"),
        (b"\x90" + bytes(11) + bytes.fromhex("bede 0002") + bytes(4), "bad_extension"),
        (b"\xa0" + bytes(12), "bad_padding"),
        (b"\xa0" + bytes(11) + b"\x02", "bad_padding"),
    ],
)
def test_junk_has_a_named_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadPacket) as caught:
        parse(data)
    assert caught.value.reason == reason


def test_numbers_that_ran_past_their_width_wrap() -> None:
    assert parse(pack(0, False, 0x10001, 0x100000002, 3)) == Packet(0, False, 1, 2, 3, b"")


@given(
    st.integers(0, 127), st.booleans(), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=40),
)  # fmt: skip
def test_what_is_packed_is_read_again(kind: int, marker: bool, seq: int, time: int, ssrc: int, data: bytes) -> None:
    packet = Packet(kind, marker, seq, time, ssrc, data)
    assert parse(bytes(packet)) == packet


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"\xbf" + tail))
def test_any_bytes_are_a_packet_or_a_named_drop(data: bytes) -> None:
    with suppress(BadPacket):
        assert len(parse(data).payload) <= len(data) - HEADER_BYTES


def test_rtcp_is_told_from_rtp_by_its_second_byte() -> None:
    assert is_rtcp(bytes([0x80, 200, 0, 1]))
    assert is_rtcp(bytes([0x81, 206]))
    assert not is_rtcp(PLAIN)
    assert not is_rtcp(bytes([0x80, 0xE5]))  # payload type 101 with marker
    assert not is_rtcp(b"\x80")
