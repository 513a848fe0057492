"""tshark as the judge of what we read: the same messages, the same streams, the same loss and jitter."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from sipgw.flow import Endpoint
from sipgw.tools.capture.model import Capture, Stream
from sipgw.tools.capture.reading import read
from tests.interop.programs import finish, program
from tests.shared import ROOT, missing

pytestmark = pytest.mark.interop

OURS = sorted((Path(__file__).parents[2] / "pcaps").glob("*.pcap*"))
_FOLDER = ROOT / "data" / "pcap"
_NOT_OURS = ("c07-sip-r2.cap",)
"""A file of Network Monitor: refused, with the way to convert it."""
OTHERS = sorted(p for p in _FOLDER.rglob("*") if p.is_file() and p.suffix != ".tsv" and p.name not in _NOT_OURS)
_STREAM = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9A-F]+)\s+(.*?)\s+(\d+)\s+(-?\d+) \(\S+\)\s+(.*)$",
    re.MULTILINE,
)
_METHOD = re.compile(r"^\s+(\S+)\s+:\s+(\d+) Packets", re.MULTILINE)
_STATUS = re.compile(r"^\s+SIP (\d{3}) .*:\s+(\d+) Packets", re.MULTILINE)


class Judged(NamedTuple):
    """What tshark says of a stream."""

    packets: int
    lost: int
    mean_jitter_ms: float
    max_jitter_ms: float


async def judged(path: Path) -> tuple[str, dict[tuple[Endpoint, Endpoint, int], Judged]]:
    """tshark's own words, and its streams."""
    options = ("-n", "-q", "-o", "rtp.heuristic_rtp:TRUE", "-z", "rtp,streams", "-z", "sip,stat")
    code, printed = await finish([program("tshark"), "-r", path, *options], 20)
    assert code == 0, printed
    streams = {}
    for source, port, target, target_port, ssrc, _, packets, lost, rest in _STREAM.findall(printed):
        figures = [float(word) for word in rest.split() if word != "X"]
        key = ((source, int(port)), (target, int(target_port)), int(ssrc, 16))
        streams[key] = Judged(int(packets), int(lost), figures[-2], figures[-1])
    return printed, streams


def ours(capture: Capture) -> dict[tuple[Endpoint, Endpoint, int], Stream]:
    """All streams that we found."""
    streams = [*capture.streams, *(stream for call in capture.calls for stream in call.streams)]
    return {(stream.source, stream.destination, stream.ssrc): stream for stream in streams}


def close(mine: float, theirs: float) -> bool:
    """Within 1 %, and what three decimals leave out."""
    return abs(mine - theirs) <= max(0.01 * theirs, 0.0011)


@pytest.mark.parametrize("path", [*OURS, *OTHERS], ids=lambda path: path.name)
async def test_messages_and_streams_are_counted_as_tshark_counts_them(path: Path) -> None:
    printed, theirs = await judged(path)
    capture = read(path)
    methods, _, _ = printed.partition("=== RTP")
    assert capture.requests == {name: int(count) for name, count in _METHOD.findall(methods) if int(count)}
    assert capture.responses == {int(status): int(count) for status, count in _STATUS.findall(printed)}
    mine = ours(capture)
    assert mine.keys() == theirs.keys()
    for key, judge in theirs.items():
        stream = mine[key]
        assert (stream.packets, stream.lost) == (judge.packets, judge.lost)
        assert close(stream.jitter_ms, judge.mean_jitter_ms), key
        assert close(stream.max_jitter_ms, judge.max_jitter_ms), key


def test_the_captures_of_others_are_there() -> None:
    if not OTHERS:
        missing("shared test data is absent: pcap")
    assert Counter(path.suffix for path in OTHERS)[".pcap"] > 20
