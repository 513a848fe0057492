"""tshark as the judge of what the gateway puts on the wire: SIP, RTP and RTCP by an independent dissector."""

import asyncio
import contextlib
import csv
import io
import itertools
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.tools.phone import Order, call
from sipgw.tools.sound import from_wav
from tests.interop.gateway import LIMIT, Gateway, running
from tests.interop.programs import finish, program, speech_wav

pytestmark = pytest.mark.interop

OURS = "udp.srcport >= 33000 and udp.srcport <= 33099"
"""The gateway's RTP and RTCP, whatever else runs on this machine."""


@contextlib.asynccontextmanager
async def captured(file: Path, port: int) -> AsyncIterator[None]:
    """SIP and RTP of the gateway at `port`, from when tshark says that it captures until the BYE was answered."""
    executable = program("tshark")
    if os.geteuid() != 0:
        pytest.skip("capturing needs root")
    process = await asyncio.create_subprocess_exec(
        *(executable, "-i", "lo", "-f", f"udp port {port} or udp portrange 33000-33099", "-q", "-w", str(file)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(LIMIT):
            while b"Capture started" not in (line := await process.stderr.readline()):
                assert line, "tshark ended"
        yield
        # What it has caught reaches the file a little later; the answer to the BYE comes last.
        async with asyncio.timeout(LIMIT):
            while not re.search(rb"SIP/2\.0 200 OK\r\n(?:[^\r\n]+\r\n)*?CSeq: \d+ BYE", file.read_bytes()):
                await asyncio.sleep(0.1)
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), LIMIT)


async def dissected(file: Path, gateway: Gateway, which: str, *names: str) -> list[dict[str, str]]:
    """The packets of a display filter, with these fields."""
    fields = [word for name in names for word in ("-e", name)]
    decode = ("-d", f"udp.port=={gateway.port},sip", "-o", "rtp.heuristic_rtp:TRUE", "-o", "rtcp.heuristic_rtcp:TRUE")
    show = ("-Y", which, "-T", "fields", "-E", "separator=;")
    arguments = [program("tshark"), "-r", str(file), *decode, *show, *fields]
    code, printed = await finish(arguments, 30)
    assert code == 0, printed
    lines = "\n".join(line for line in printed.splitlines() if not line.startswith("Running as"))
    return [dict(zip(names, row, strict=True)) for row in csv.reader(io.StringIO(lines), delimiter=";")]


async def test_an_independent_dissector_finds_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "call.pcapng"
    async with running(tmp_path, {"media": {"ports": "33000-33099"}}) as gateway:
        async with captured(file, gateway.port):
            sound = from_wav(await speech_wav(tmp_path))
            report = await call(Order(f"sip:echo@{gateway.address}", sound, keys="5", seconds=12))
        assert report.answered
        assert not await dissected(file, gateway, f"_ws.malformed and ({OURS} or sip)", "frame.number")

        messages = await dissected(file, gateway, "sip", "sip.Method", "sip.Status-Code", "udp.srcport")
        ours = [message["sip.Status-Code"] for message in messages if message["udp.srcport"] == str(gateway.port)]
        assert ours == ["100", "180", "200", "200"]

        names = ("rtp.ssrc", "rtp.seq", "rtp.timestamp", "rtp.p_type", "udp.srcport")
        packets = await dissected(file, gateway, f"rtp and {OURS}", *names)
        assert len({packet["rtp.ssrc"] for packet in packets}) == 1
        assert {packet["rtp.p_type"] for packet in packets} == {"0"}
        numbers = [int(packet["rtp.seq"]) for packet in packets]
        times = [int(packet["rtp.timestamp"]) for packet in packets]
        assert len(numbers) > 11.5 * 50
        assert {(b - a) % 65_536 for a, b in itertools.pairwise(numbers)} == {1}
        assert {(b - a) % 2**32 for a, b in itertools.pairwise(times)} == {160}

        reports = await dissected(file, gateway, f"rtcp.pt == 200 and {OURS}", "rtcp.senderssrc", "rtcp.ssrc.fraction")
        assert len(reports) >= 2, "one every five seconds or so"
        assert {one["rtcp.senderssrc"].split(",")[0] for one in reports} == {packets[0]["rtp.ssrc"]}
