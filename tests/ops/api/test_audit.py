"""The audit log: every line there, only for our eyes, and never larger than is said."""

import io
import json
import stat
from pathlib import Path

from sipgw.ops.api.audit import AuditLog, Entry
from tests.ops.api.served import logger


def entry(number: int) -> Entry:
    """What somebody did."""
    return Entry(1_700_000_000.0 + number, "desk", "127.0.0.1", f"POST /{number}", "n1-1", "done")


def filled(path: Path, count: int, **limits: int) -> AuditLog:
    """A log of so many entries."""
    audit = AuditLog(path, logger(io.StringIO()), **limits)
    for number in range(count):
        audit.note(entry(number))
    return audit


async def test_the_newest_come_first(tmp_path: Path) -> None:
    audit = filled(tmp_path / "audit.jsonl", 5)
    assert await audit.newest(3) == [entry(4), entry(3), entry(2)]
    assert len(await audit.newest(100)) == 5
    audit.close()


async def test_nobody_else_reads_it(tmp_path: Path) -> None:
    filled(tmp_path / "audit.jsonl", 1).close()
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


async def test_files_are_turned_over(tmp_path: Path) -> None:
    audit = filled(tmp_path / "audit.jsonl", 100, most_bytes=1000, kept=3)
    newest = await audit.newest(1000)
    audit.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3")
    ]
    assert all(path.stat().st_size < 1200 for path in tmp_path.iterdir())
    # What is left is the end, without a gap.
    assert newest == [entry(number) for number in range(99, 99 - len(newest), -1)]


async def test_an_older_run_is_still_read(tmp_path: Path) -> None:
    filled(tmp_path / "audit.jsonl", 2).close()
    audit = filled(tmp_path / "audit.jsonl", 1)
    assert await audit.newest(10) == [entry(0), entry(1), entry(0)]
    audit.close()


async def test_a_long_log_is_not_read_whole(tmp_path: Path) -> None:
    audit = filled(tmp_path / "audit.jsonl", 3000)
    assert await audit.newest(2) == [entry(2999), entry(2998)]
    audit.close()


async def test_a_disk_that_does_not_take_it_is_told_of(tmp_path: Path) -> None:
    out = io.StringIO()
    audit = AuditLog(tmp_path / "no such folder" / "audit.jsonl", logger(out))
    audit.note(entry(1))
    audit.close()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["audit", "audit entry not written"]
