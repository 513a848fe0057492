"""Captures, synthesized for every kind of interface, and real ones."""

import io
import struct
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import dpkt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import Datagram
from tests.shared import shared

PCAPS = Path(__file__).parents[3] / "pcaps"
WHEN = 1_770_000_000.25
FOUR = Datagram(WHEN, ("192.0.2.1", 5060), ("192.0.2.2", 5080), b"OPTIONS")
SIX = Datagram(WHEN, ("2001:db8::1", 5060), ("2001:db8::2", 5080), b"OPTIONS")


def udp(datagram: Datagram) -> bytes:
    size = 8 + len(datagram.payload)
    return struct.pack("!HHHH", datagram.source[1], datagram.destination[1], size, 0) + datagram.payload


def ipv4(datagram: Datagram = FOUR, fragment: int = 0, protocol: int = 17) -> bytes:
    segment = udp(datagram)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, fragment, 64, protocol, 0)
    return head + ip_address(datagram.source[0]).packed + ip_address(datagram.destination[0]).packed + segment


def ipv6(datagram: Datagram = SIX, options: bytes = b"") -> bytes:
    segment = options + udp(datagram)
    head = struct.pack("!IHBB", 6 << 28, len(segment), 0 if options else 17, 64)
    return head + ip_address(datagram.source[0]).packed + ip_address(datagram.destination[0]).packed + segment


def ethernet(packet: bytes, kind: int = 0x0800, vlans: tuple[int, ...] = ()) -> bytes:
    tags = b"".join(struct.pack("!HH", vlan, 7) for vlan in vlans)
    return bytes(12) + tags + struct.pack("!H", kind) + packet


def write(path: Path, link: int, *frames: bytes, writer: Callable[..., object] = dpkt.pcap.Writer) -> Path:
    with path.open("wb") as file:
        capture = writer(file, linktype=link)
        for frame in frames:
            capture.writepkt(frame, ts=WHEN)  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize(
    ("link", "frame", "expected"),
    [
        pytest.param(1, ethernet(ipv4()), FOUR, id="ethernet"),
        pytest.param(1, ethernet(ipv4()) + bytes(11), FOUR, id="ethernet padded"),
        pytest.param(1, ethernet(ipv6(), 0x86DD), SIX, id="ethernet with IPv6"),
        pytest.param(1, ethernet(ipv6(options=bytes([17, 0, 1, 4, 0, 0, 0, 0])), 0x86DD), SIX, id="IPv6 options"),
        pytest.param(1, ethernet(ipv4(), vlans=(0x8100,)), FOUR, id="VLAN"),
        pytest.param(1, ethernet(ipv6(), 0x86DD, (0x88A8, 0x8100)), SIX, id="VLAN in VLAN"),
        pytest.param(113, bytes(14) + b"\x08\x00" + ipv4(), FOUR, id="Linux cooked"),
        pytest.param(276, b"\x86\xdd" + bytes(18) + ipv6(), SIX, id="Linux cooked 2"),
        pytest.param(101, ipv4(), FOUR, id="raw IP"),
        pytest.param(228, ipv4(), FOUR, id="raw IPv4"),
        pytest.param(229, ipv6(), SIX, id="raw IPv6"),
        pytest.param(0, b"\x02\0\0\0" + ipv4(), FOUR, id="BSD loopback"),
        pytest.param(108, b"\0\0\0\x18" + ipv6(), SIX, id="OpenBSD loopback"),
    ],
)
def test_datagrams_are_found_on_every_kind_of_interface(
    link: int, frame: bytes, expected: Datagram, tmp_path: Path
) -> None:
    assert list(datagrams(write(tmp_path / "x.pcap", link, frame))) == [expected]


def test_pcapng_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with path.open("wb") as file:
        dpkt.pcapng.Writer(file).writepkt(ethernet(ipv4()), ts=WHEN)
    assert list(datagrams(path)) == [FOUR]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="empty"),
        pytest.param(ethernet(b"", 0x0806), id="ARP"),
        pytest.param(ethernet(ipv4(protocol=6)), id="TCP"),
        pytest.param(ethernet(ipv4(fragment=0x2000)), id="first fragment"),
        pytest.param(ethernet(ipv4(fragment=100)), id="later fragment"),
        pytest.param(ethernet(ipv4())[:-1], id="cut off by the snap length"),
        pytest.param(ethernet(b"\x41" + ipv4()[1:]), id="header too short"),
    ],
)
def test_what_is_no_whole_datagram_is_passed_over(frame: bytes, tmp_path: Path) -> None:
    assert list(datagrams(write(tmp_path / "x.pcap", 1, frame, ethernet(ipv4())))) == [FOUR]


def test_a_capture_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", 1, ethernet(ipv4()), ethernet(ipv4()))
    path.write_bytes(path.read_bytes()[:-5])
    assert list(datagrams(path)) == [FOUR]


def test_other_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no capture at all, but long enough to be one")
    (tmp_path / "short").write_bytes(b"\xd4\xc3")
    write(tmp_path / "wifi", 105, b"")
    for name, said in [
        ("text", "is neither pcap nor pcapng"),
        ("short", "is neither pcap nor pcapng"),
        ("wifi", "link type 105"),
        ("gone", "cannot be read: No such file"),
    ]:
        with pytest.raises(CaptureError, match=said):
            list(datagrams(tmp_path / name))


@given(st.binary(max_size=120), st.sampled_from([1, 113, 276, 101, 0]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_frame_whatever_is_survived(tmp_path: Path, frame: bytes, link: int) -> None:
    buffer = io.BytesIO()
    dpkt.pcap.Writer(buffer, linktype=link).writepkt(frame, ts=WHEN)
    (tmp_path / "x.pcap").write_bytes(buffer.getvalue())
    assert len(list(datagrams(tmp_path / "x.pcap"))) <= 1


def test_our_own_first_call_is_read_whole() -> None:
    found = list(datagrams(PCAPS / "first-call.pcap"))
    assert Counter(one.source[1] for one in found) == {5571: 3, 5570: 3, 17010: 246, 17000: 246}
    assert found[0].payload.startswith(b"INVITE sip:echo@127.0.0.1:5570 SIP/2.0\r\n")
    assert 9.2 < found[-1].when - found[0].when < 9.5


@pytest.mark.parametrize(
    ("path", "at_least"),
    [
        ("pcap/sipp-media/g711a.pcap", 236),
        ("pcap/wireshark-wiki-via-sipnab/SIP_CALL_RTP_G711", 1000),
        ("pcap/wireshark-wiki-via-sipnab/b2bua-asterisk.pcapng", 100),
        ("pcap/wireshark-wiki-via-sipnab/sip-rtp-g711.pcap", 500),
    ],
)
def test_captures_of_others_are_read(path: str, at_least: int) -> None:
    assert len(list(datagrams(shared(path)))) >= at_least
