"""Fragments, in order and out of it, lost and overlapping; never more than is bounded."""

import struct
from ipaddress import ip_address
from pathlib import Path

from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.fragments import Fragments
from sipgw.tools.capture.ip import IpReader, Unreachable
from tests.fakes.capture_file import CALLEE, CALLER, CaptureFile, ipv4, udp

KEY = (b"12", b"from", b"dest", 17)
TEXT = bytes(range(256)) * 12


def cut(size: int = 1480) -> list[tuple[int, bytes, bool]]:
    return [(at, TEXT[at : at + size], at + size < len(TEXT)) for at in range(0, len(TEXT), size)]


def test_fragments_in_any_order_make_the_packet() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        fragments = Fragments()
        results = [fragments.add(0.0, KEY, *cut()[index]) for index in order]
        assert results == [None, None, TEXT]


def test_a_repeated_fragment_changes_nothing_and_the_first_to_claim_a_byte_keeps_it() -> None:
    fragments = Fragments()
    assert fragments.add(0.0, KEY, 0, b"A" * 16, True) is None
    assert fragments.add(0.0, KEY, 0, b"B" * 16, True) is None
    assert fragments.add(0.0, KEY, 8, b"C" * 16, False) == b"A" * 16 + b"C" * 8


def test_a_hole_keeps_the_packet_waiting() -> None:
    fragments = Fragments()
    first, _, last = cut()
    assert fragments.add(0.0, KEY, *first) is None
    assert fragments.add(0.0, KEY, *last) is None
    assert fragments.add(0.0, KEY, 1488, TEXT[1488:2960], True) is None
    assert fragments.add(0.0, KEY, 1480, TEXT[1480:1488], True) == TEXT


def test_a_number_that_comes_again_much_later_is_another_packet() -> None:
    fragments = Fragments()
    fragments.add(0.0, KEY, 0, b"old" * 8, True)
    assert fragments.add(100.0, KEY, 24, b"new", False) is None
    assert fragments.add(100.0, KEY, 0, b"new" * 8, True) == b"new" * 9


def test_what_is_held_is_bounded() -> None:
    fragments = Fragments()
    for number in range(1000):
        fragments.add(0.0, (number.to_bytes(2, "big"), b"", b"", 17), 0, bytes(8), True)
    assert fragments.add(0.0, ((0).to_bytes(2, "big"), b"", b"", 17), 8, bytes(8), False) is None
    assert fragments.add(0.0, ((999).to_bytes(2, "big"), b"", b"", 17), 8, bytes(8), False) == bytes(16)
    assert fragments.add(0.0, KEY, 65_528, bytes(16), False) is None
    for start in range(0, 8 * 600, 8):
        assert fragments.add(0.0, KEY, 16 + start, bytes(8), True) is None


def test_a_large_message_in_ip_fragments_is_read(tmp_path: Path) -> None:
    captured = CaptureFile()
    whole = udp(CALLER, CALLEE, TEXT)
    for at in (1480, 0, 2960):
        more = 0x2000 if at < 2960 else 0
        captured.ip(0.0, ipv4(CALLER[0], CALLEE[0], 17, whole[at : at + 1480], more | at // 8))
    assert [one.payload for one in datagrams(captured.write(tmp_path / "x.pcap"))] == [TEXT]


def test_ipv6_fragments_are_read_behind_other_headers() -> None:
    whole = udp(CALLER, CALLEE, TEXT)
    reader = IpReader()
    ends = ip_address("2001:db8::1").packed + ip_address("2001:db8::2").packed
    packets = []
    for at in range(0, len(whole), 1480):
        piece = whole[at : at + 1480]
        more = at + 1480 < len(whole)
        options = bytes([44, 0, 1, 4, 0, 0, 0, 0])
        fragment = struct.pack("!BBHI", 17, 0, at | more, 7)
        body = options + fragment + piece
        packets.append(struct.pack("!IHBB", 6 << 28, len(body), 0, 64) + ends + body)
    found = [reader.read(1.0, 101, packet) for packet in packets]
    assert found[:-1] == [None] * (len(packets) - 1)
    assert found[-1] == (1.0, ("2001:db8::1", 5060), ("2001:db8::2", 5060), TEXT)


def test_an_icmp_message_names_the_port_that_is_closed() -> None:
    captured = CaptureFile()
    captured.icmp(0.0, CALLER, ("192.0.2.2", 30_000))
    assert IpReader().read(5.0, 101, captured.packets[0][1]) == Unreachable(5.0, CALLER, ("192.0.2.2", 30_000))


def test_a_datagram_of_a_short_snap_length_is_counted() -> None:
    reader = IpReader()
    assert reader.read(0.0, 101, ipv4("192.0.2.1", "192.0.2.2", 17, udp(CALLER, CALLEE, TEXT))[:100]) is None
    assert reader.cut_off == 1


def test_dsl_frames_are_read() -> None:
    packet = ipv4("192.0.2.1", "192.0.2.2", 17, udp(CALLER, CALLEE, b"hello"))
    frame = bytes(12) + b"\x88\x64\x11\0\0\1\0\0\0\x21" + packet
    assert IpReader().read(0.0, 1, frame) == (0.0, CALLER, CALLEE, b"hello")
