"""RTCP reports: what is built is read again, and the arithmetic of times."""

from contextlib import suppress

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.rtp.packet import BadPacket, is_rtcp
from sipgw.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    Rtcp,
    SenderReport,
    SourceDescription,
    compound,
    middle,
    ntp_time,
    parse,
    report_interval,
    round_trip,
)
from tests.shared import shared

word = st.integers(0, 0xFFFFFFFF)
blocks = st.lists(
    st.builds(ReportBlock, word, st.integers(0, 255), st.integers(-(1 << 23), (1 << 23) - 1), word, word, word, word),
    max_size=31,
).map(tuple)
packets = st.one_of(
    st.builds(SenderReport, word, st.integers(0, (1 << 64) - 1), word, word, word, blocks),
    st.builds(ReceiverReport, word, blocks),
    st.builds(SourceDescription, word, st.text(st.characters(codec="ascii"), max_size=60)),
    st.builds(Goodbye, st.lists(word, max_size=31).map(tuple)),
)


@given(st.lists(packets, min_size=1, max_size=5))
def test_a_compound_is_read_as_it_was_built(sent: list[Rtcp]) -> None:
    data = compound(sent)
    assert len(data) % 4 == 0
    assert parse(data) == tuple(sent)


def test_what_we_build_is_recognised_as_rtcp() -> None:
    for one in (SenderReport(1, 2, 3, 4, 5), ReceiverReport(1), SourceDescription(1, "a@b"), Goodbye((1,))):
        assert is_rtcp(bytes(one))


def test_a_report_of_another_stack_is_read() -> None:
    data = bytes.fromhex(
        "81c9 0007 5d931534 3a1c4b2f 1a fffffe 0000a1b2 00000010 7a3e1111 00020000"  # RR, loss of -2
        "81ca 0004 5d931534 0105 6140622e63 00 00000000"  # SDES, padded further than needed
    )
    report, name = parse(data)
    assert isinstance(report, ReceiverReport)
    assert name == SourceDescription(0x5D931534, "a@b.c")
    assert report.blocks[0].lost == -2
    assert report.blocks[0].fraction_lost == 0x1A


def test_the_canonical_name_is_found_behind_other_items_or_missed() -> None:
    tool_and_name = bytes.fromhex("81ca 0003 00000001 0601 78 0101 61 00 00")
    assert parse(tool_and_name) == (SourceDescription(1, "a"),)
    assert parse(bytes.fromhex("81ca 0002 00000001 0601 78 00")) == ()
    assert parse(bytes.fromhex("80ca 0000")) == ()


def test_unknown_types_are_passed_over() -> None:
    feedback = bytes.fromhex("81ce 0002 00000001 00000002")
    assert parse(feedback + bytes(Goodbye((7,)))) == (Goodbye((7,)),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80\xc8", "rtcp_too_short"),
        (bytes.fromhex("40c8 0000"), "rtcp_bad_version"),
        (bytes.fromhex("80c8 0006") + bytes(20), "rtcp_bad_length"),
        (bytes.fromhex("80c8 0001") + bytes(4), "rtcp_bad_length"),
        (bytes.fromhex("81c9 0001") + bytes(4), "rtcp_bad_length"),
        (bytes.fromhex("80c9 0000"), "rtcp_bad_length"),
        (bytes.fromhex("82cb 0001") + bytes(4), "rtcp_bad_length"),
        (bytes.fromhex("81ca 0002") + bytes(4) + bytes.fromhex("01090000"), "rtcp_bad_length"),
    ],
)
def test_junk_has_a_named_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadPacket) as caught:
        parse(data)
    assert caught.value.reason == reason


@given(st.binary(max_size=120) | st.tuples(st.sampled_from([200, 201, 202, 203]), st.binary(max_size=80)).map(
    lambda t: bytes([0x9F, t[0], 0, len(t[1]) // 4]) + t[1]
))  # fmt: skip
def test_any_bytes_are_reports_or_a_named_drop(data: bytes) -> None:
    with suppress(BadPacket):
        parse(data)


def test_the_round_trip_is_what_is_left_after_the_far_ends_delay() -> None:
    sent = ntp_time(1_700_000_000.0)
    back = ntp_time(1_700_000_000.75)
    block = ReportBlock(1, 0, 0, 0, 0, last_report=middle(sent), delay=int(0.5 * 65_536))
    assert round_trip(block, back) == pytest.approx(0.25, abs=1e-4)


def test_there_is_no_round_trip_without_a_quoted_report_or_against_the_clock() -> None:
    assert round_trip(ReportBlock(1, 0, 0, 0, 0), ntp_time(0.0)) is None
    now = ntp_time(1_700_000_000.0)
    assert round_trip(ReportBlock(1, 0, 0, 0, 0, last_report=middle(now), delay=65_536), now) is None


def test_ntp_time_counts_from_1900() -> None:
    assert ntp_time(0.5) == (2_208_988_800 << 32) + (1 << 31)


def test_reports_are_five_seconds_apart_on_average_and_never_in_step() -> None:
    assert report_interval(0.0) == pytest.approx(2.05, abs=0.01)
    assert report_interval(1.0) == pytest.approx(6.16, abs=0.01)
    assert report_interval(0.5, first=True) == report_interval(0.5) / 2
    assert report_interval(0.5, octets=4000) > report_interval(0.5)


def test_reports_recorded_by_others_are_read() -> None:
    with shared("pcap/wireshark-wiki-via-sipnab/SIP_CALL_RTP_G711").open("rb") as file:
        udp = [dpkt.ethernet.Ethernet(frame).data.data for _, frame in dpkt.pcap.Reader(file)]
    found = [one for d in udp if isinstance(d, dpkt.udp.UDP) and is_rtcp(d.data) for one in parse(d.data)]
    reports = [one for one in found if isinstance(one, SenderReport)]
    names = {one.cname for one in found if isinstance(one, SourceDescription)}
    assert len(reports) > 4
    assert any(report.blocks for report in reports)
    assert names
