"""Public captures: every SIP message in them is read, and counted as another dissector counted it."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest

from sipgw.sip.framing import StreamFramer
from sipgw.sip.message import Request, Response, parse, validate
from tests.shared import shared

UNREAD = {"c07-sip-r2.cap": "neither pcap nor pcapng"}
"""Captures that are left out, and why."""


def frames(path: Path) -> Iterator[object]:
    """The transport payloads of a capture: dpkt's UDP and TCP objects."""
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.UniversalReader(file):
            layer = dpkt.ethernet.Ethernet(frame)
            while isinstance(layer, dpkt.Packet) and not isinstance(layer, dpkt.udp.UDP | dpkt.tcp.TCP):
                layer = layer.data
            yield layer


def messages(path: Path) -> list[Request | Response]:
    """The SIP messages of a capture, over UDP and over TCP."""
    found: list[bytes] = []
    streams: dict[tuple[int, int], StreamFramer] = defaultdict(StreamFramer)
    for segment in frames(path):
        if not isinstance(segment, dpkt.udp.UDP | dpkt.tcp.TCP):
            continue
        ports, data = (segment.sport, segment.dport), bytes(segment.data)
        if isinstance(segment, dpkt.udp.UDP) and b"SIP/2.0" in data:
            found.append(data)
        elif isinstance(segment, dpkt.tcp.TCP) and 5060 in ports:
            found += streams[ports].feed(data)
    return [parse(data) for data in found]


def counted(text: str) -> Counter[str]:
    """`INVITE:1,200:2` as numbers."""
    pairs = (item.rpartition(":") for item in text.split(",") if item)
    return Counter({name: int(number) for name, _, number in pairs})


def index() -> list[tuple[Path, Counter[str]]]:
    """The captures with SIP in them, and how many requests and responses of each kind."""
    home = shared("pcap")
    with (home / "INDEX.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    return [
        (home / row["file"], counted(row["sip_methods"] or "") + counted(row["sip_status"] or ""))
        for row in rows
        if Path(row["file"]).name not in UNREAD
    ]


def test_every_message_of_every_capture_is_read() -> None:
    for path, expected in index():
        if not expected:
            continue
        seen = Counter(
            message.method if isinstance(message, Request) else str(message.status) for message in messages(path)
        )
        assert seen == expected, path.name


def test_every_message_of_every_capture_is_complete_and_prints_as_it_came() -> None:
    for path, expected in index():
        if not expected:
            continue
        for message in messages(path):
            # A capture at a proxy holds responses with further hops, which a user agent would refuse.
            if len(message.vias) == 1 or isinstance(message, Request):
                validate(message)
            assert parse(bytes(message)).headers.without("Content-Length") == message.headers.without("Content-Length")


@pytest.mark.parametrize("name", ["sip-over-tcp.pcap"])
def test_a_captured_stream_is_cut_at_every_byte(name: str) -> None:
    path = next(path for path, _ in index() if path.name == name)
    whole: dict[tuple[int, int], bytes] = defaultdict(bytes)
    for segment in frames(path):
        if isinstance(segment, dpkt.tcp.TCP):
            whole[segment.sport, segment.dport] += bytes(segment.data)
    cut = []
    for data in whole.values():
        framer = StreamFramer()
        cut += [found for at in range(len(data)) for found in framer.feed(data[at : at + 1])]
    assert len(cut) == len(messages(path)) > 0
