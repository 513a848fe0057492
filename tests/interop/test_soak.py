"""The long suite, by `./test soak`: hundreds of calls for minutes, after which nothing may be left behind."""

import csv
import os
from pathlib import Path

import pytest

from tests.interop.gateway import Gateway, running
from tests.interop.test_sipp import sipp

pytestmark = [pytest.mark.interop, pytest.mark.soak]

MINUTES = float(os.environ.get("SIPGW_SOAK_MINUTES", "5"))
CONCURRENT = 150
WARM_UP = 4 * CONCURRENT


def descriptors(gateway: Gateway) -> int:
    """Open files of the gateway's process."""
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def resident_kib(gateway: Gateway) -> int:
    """Memory of the gateway's process."""
    for line in Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def load(gateway: Gateway, folder: Path, calls: int) -> dict[str, str]:
    """`calls` calls of ten seconds, `CONCURRENT` at once at the most; SIPp's last line of statistics."""
    seconds = calls / CONCURRENT * 12
    await sipp(
        *(gateway, "call", folder, "-m", str(calls), "-r", "15", "-l", str(CONCURRENT), "-d", "8000"),
        *("-trace_stat", "-stf", str(folder / "stat.csv"), "-fd", "5"),
        within=seconds + 120,
    )
    with (folder / "stat.csv").open() as file:
        return list(csv.DictReader(file, delimiter=";"))[-1]


async def test_minutes_of_calls_leave_nothing_behind(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        # Transactions are kept for 32 s (RFC 6026): memory stands still once that long has been full of calls.
        await load(gateway, tmp_path, WARM_UP)
        files, memory = descriptors(gateway), resident_kib(gateway)
        calls = int(MINUTES * 60 / 12 * CONCURRENT)
        last = await load(gateway, tmp_path, calls)
        assert int(last["FailedCall(C)"]) == 0, last
        ended = (await gateway.said("call ended", WARM_UP + calls))[WARM_UP:]
        assert {line["cause"] for line in ended} == {"normal"}
        assert sum(line["lost_packets"] for line in ended) == 0
        assert descriptors(gateway) <= files + 2
        grown = resident_kib(gateway) - memory
        print(f"{calls} calls, {CONCURRENT} at once: memory grew by {grown} KiB over {memory} KiB")
        assert grown < 20_000
