"""Capture files of both formats, of every byte order and clock, whole and broken."""

import contextlib
import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.records import Record, Records

FRAME = b"a frame of some length"


def pcap(order: str = "<", magic: int = 0xA1B2C3D4, link: int = 1, fraction: int = 250_000) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    return head + struct.pack(order + "IIII", 1_770_000_000, fraction, len(FRAME), len(FRAME)) + FRAME


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)


def enhanced(index: int, ticks: int, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(FRAME), len(FRAME))
    return block(6, head + FRAME, order)


def records(tmp_path: Path, data: bytes) -> tuple[list[Record], str]:
    path = tmp_path / "x"
    path.write_bytes(data)
    reader = Records(path)
    return list(reader), reader.broken


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_of_either_byte_order_and_either_clock_is_read(order: str, tmp_path: Path) -> None:
    expected = Record(1, 1_770_000_000.25, 1, FRAME)
    assert records(tmp_path, pcap(order)) == ([expected], "")
    assert records(tmp_path, pcap(order, 0xA1B23C4D, fraction=250_000_000)) == ([expected], "")


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_keeps_each_interface_s_kind_and_clock(order: str, tmp_path: Path) -> None:
    nanoseconds = struct.pack(order + "HHB3x", 9, 1, 9)
    binary = struct.pack(order + "HHB3x", 9, 1, 0x80 | 10)
    later = struct.pack(order + "HHq", 14, 8, 1000)
    data = section(order) + interface(1, order=order) + interface(113, nanoseconds, order)
    data += interface(101, binary, order) + interface(0, later, order)
    data += enhanced(0, 5_500_000, order) + enhanced(1, 5_500_000_000, order)
    data += enhanced(2, 5 * 1024 + 512, order) + enhanced(3, 5_500_000, order)
    found, broken = records(tmp_path, data)
    assert [(r.number, r.when, r.link) for r in found] == [(1, 5.5, 1), (2, 5.5, 113), (3, 5.5, 101), (4, 1005.5, 0)]
    assert broken == ""


def test_a_section_begins_anew_with_its_own_interfaces_and_unknown_blocks_are_passed_over(tmp_path: Path) -> None:
    data = section() + interface(1) + block(0xBAD, b"whatever") + enhanced(0, 0)
    data += section(">") + interface(101, order=">") + enhanced(0, 0, ">")
    found, broken = records(tmp_path, data)
    assert [r.link for r in found] == [1, 101]
    assert broken == ""


def test_simple_and_old_packet_blocks_are_read(tmp_path: Path) -> None:
    simple = block(3, struct.pack("<I", len(FRAME)) + FRAME)
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 7_000_000, len(FRAME), len(FRAME)) + FRAME)
    found, _ = records(tmp_path, section() + interface(1) + simple + old)
    assert [(r.when, r.frame) for r in found] == [(0.0, FRAME), (7.0, FRAME)]


def test_a_gzipped_file_is_read_and_one_that_breaks_off_up_to_there(tmp_path: Path) -> None:
    found, broken = records(tmp_path, gzip.compress(pcap()))
    assert [r.frame for r in found] == [FRAME]
    assert broken == ""
    found, broken = records(tmp_path, gzip.compress(pcap())[:-6])
    assert broken == "its compressed data breaks off"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pcap() + pcap()[24:-3], "it is cut off in the middle of a packet"),
        (pcap() + b"\0" * 7, "it is cut off in the middle of a packet"),
        (pcap() + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30), "it is corrupt: a packet of 1073741824 bytes"),
        (section() + interface(1) + enhanced(0, 0)[:-9], "it is cut off in the middle of a block"),
        (section() + enhanced(0, 0), "it is corrupt: a packet of an interface that was never named"),
        (section() + struct.pack("<II", 6, 1 << 31), "it is corrupt: a block of 2147483648 bytes"),
        (section() + block(6, b"1234"), "it is corrupt: a packet without a header"),
        (section() + block(1, b"1234"), "it is corrupt: an interface without a type"),
        (b"\x0a\x0d\x0d\x0a" + bytes(8), "it is corrupt: a section without byte order"),
    ],
)
def test_a_broken_file_is_read_up_to_there_with_the_reason(data: bytes, reason: str, tmp_path: Path) -> None:
    assert records(tmp_path, data)[1] == reason


def test_a_file_of_another_program_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    (tmp_path / "x.cap").write_bytes(b"GMBU" + bytes(100))
    with pytest.raises(CaptureError, match=r"a capture of Network Monitor; `editcap x\.cap new\.pcapng` converts it"):
        list(Records(tmp_path / "x.cap"))


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(pcap() + pcap()[24:] * 9999)
    told: list[int] = []
    assert len(list(Records(path, told.append))) == 10_000
    assert len(told) == 2
    assert 0 < told[0] < told[1] <= path.stat().st_size


@given(st.sampled_from([pcap(), section() + interface(1) + enhanced(0, 0), gzip.compress(pcap())]), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_damage_is_survived(tmp_path: Path, good: bytes, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for place in data.draw(st.lists(st.integers(4, len(good) - 1), max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "x"
    path.write_bytes(bytes(damaged[: data.draw(st.integers(4, len(damaged)))]))
    with contextlib.suppress(CaptureError):
        assert len(list(Records(path))) <= 5
