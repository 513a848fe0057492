"""The keeper: records reach the database through a crash, a database that is down, and a full disk."""

import asyncio
import io
import json
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from sipgw.errors import Unavailable, UsageError
from sipgw.options import RecordOptions
from sipgw.records import runner as module
from sipgw.records.engine import file_url
from sipgw.records.entry import Entry, encode
from sipgw.records.keeper import Keeper, records_url
from sipgw.records.reading import Filter, Reader
from sipgw.records.shelf import Shelf
from sipgw.records.spill import Spill
from sipgw.records.store import Store
from sipgw.records.writer import Writer
from tests.records.records import record

LIMIT = 10.0


class Rig:
    """A keeper in a folder, and what it said."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.alarms: list[tuple[str, str]] = []
        self.out = io.StringIO()
        log = structlog.wrap_logger(
            structlog.WriteLogger(self.out),
            processors=[structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(20),
        )
        alarm = lambda name, detail: self.alarms.append((name, detail))  # noqa: E731
        self.keeper = Keeper(RecordOptions(**options), folder, alarm, log)

    def calls(self) -> list[str]:
        """The calls in the database."""
        with sqlite3.connect(self.folder / "records.db") as database:
            found = [str(call) for (call,) in database.execute("SELECT call FROM calls ORDER BY call")]
        database.close()
        return found

    def said(self) -> list[str]:
        """The log's lines by name."""
        return [json.loads(line)["event"] for line in self.out.getvalue().splitlines()]


async def until(condition: Callable[[], bool], within: float = LIMIT) -> None:
    """Wait for something another thread does."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Rig]]:
    """Makes rigs whose keepers are closed in the end."""
    monkeypatch.setattr(module, "_GATHER", 0.02)
    made: list[Rig] = []

    def make(**options: Any) -> Rig:
        made.append(Rig(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        await one.keeper.close()


async def test_a_record_is_in_the_database_a_moment_later(rig: Callable[..., Rig]) -> None:
    one = rig()
    one.keeper.start()
    one.keeper.keep(record())
    await until(lambda: one.keeper.counts.written == 1)
    assert one.calls() == ["n1-1"]
    assert (one.keeper.counts.pending, one.keeper.counts.failed, one.keeper.counts.down) == (0, 0, False)
    assert (one.alarms, one.said()) == ([], ["records migrated"])


async def test_stopping_writes_what_came_last_and_leaves_no_journal(rig: Callable[..., Rig], tmp_path: Path) -> None:
    one = rig()
    one.keeper.start()
    for number in range(250):
        one.keeper.keep(record(f"n1-{number:03}"))
    await one.keeper.close()
    assert len(one.calls()) == 250
    assert list((tmp_path / "records").iterdir()) == []


async def test_what_a_killed_process_left_is_written_once_when_the_next_starts(
    rig: Callable[..., Rig], tmp_path: Path
) -> None:
    killed = Spill(tmp_path / "records")
    killed.open()
    for number in range(3):
        killed.append(encode(Entry(record(f"n1-{number}"))))
    # It had got as far as the database with the first.
    store = Store(file_url(tmp_path / "records.db"))
    await store.migrate()
    await store.write([record("n1-0")])
    await store.close()
    one = rig()
    one.keeper.start()
    await until(lambda: one.keeper.counts.written == 3)
    assert one.calls() == ["n1-0", "n1-1", "n1-2"]
    assert one.keeper.counts.pending == 0


async def test_a_locked_database_loses_nothing_and_is_told_once(
    rig: Callable[..., Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipgw.records.engine._BUSY_SECONDS", 0.05)
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.05)
    one = rig()
    one.keeper.start()
    await until(lambda: "records migrated" in one.said())
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    one.keeper.keep(record())
    await until(lambda: one.keeper.counts.down)
    one.keeper.keep(record("n1-2"))
    await until(lambda: len(one.alarms) == 1)
    name, detail = one.alarms[0]
    assert name == "records_database"
    assert "database is locked" in detail
    assert "+4930123" not in detail
    assert one.keeper.counts.pending == 2
    other.execute("ROLLBACK")
    other.close()
    await until(lambda: one.keeper.counts.pending == 0)
    assert one.calls() == ["n1-1", "n1-2"]
    await until(lambda: one.said()[-1] == "records are written again")
    assert not one.keeper.counts.down
    assert len(one.alarms) == 1


async def test_pauses_grow_while_the_database_is_down(tmp_path: Path) -> None:
    one = Rig(tmp_path, url="sqlite:////nowhere/records.db")
    store, spill = Store(file_url(Path("/nowhere/records.db"))), Spill(tmp_path / "records")
    spill.open()
    writer = Writer(spill, store, tmp_path / "aside", one.keeper.counts, lambda name, detail: None)
    runner = module.Runner(
        spill, Shelf(), store, writer, one.keeper.counts,
        options=RecordOptions(), alarm=lambda *said: one.alarms.append(said),
        log=structlog.wrap_logger(structlog.ReturnLogger()),
    )  # fmt: skip
    pauses = [0.0]
    for _ in range(9):
        pauses.append(await runner._round(pauses[-1]))
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert len(one.alarms) == 1
    await store.close()
    spill.close()


async def test_a_full_disk_is_told_once_and_the_records_come_from_memory(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig()
    one.keeper.start()
    await until(lambda: "records migrated" in one.said())
    real = os.write

    def full(file: int, data: bytes) -> int:
        if data.startswith(b'{"call"'):
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", full)
    one.keeper.keep(record())
    one.keeper.keep(record("n1-2"))
    assert [name for name, _ in one.alarms] == ["records_journal"]
    await until(lambda: one.keeper.counts.written == 2)
    assert one.calls() == ["n1-1", "n1-2"]


async def test_a_record_nobody_takes_is_put_aside_and_told(rig: Callable[..., Rig], tmp_path: Path) -> None:
    one = rig()
    one.keeper.start()
    one.keeper._spill.append(b"{ not a record")
    one.keeper.keep(record("n1-big", status=10**30))
    one.keeper.keep(record())
    await until(lambda: len(one.alarms) == 2)
    await until(lambda: one.keeper.counts.written == 1)
    assert one.calls() == ["n1-1"]
    assert one.keeper.counts.failed == 2
    assert {name for name, _ in one.alarms} == {"record_rejected"}
    aside = (tmp_path / "records" / "rejected.jsonl").read_text().splitlines()
    assert sorted(line[:14] for line in aside) == ["{ not a record", '{"call":{"call']


async def test_old_records_are_deleted_at_the_start(rig: Callable[..., Rig], tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "records.db"))
    await store.migrate()
    await store.write([record(), record("n1-2", started=datetime.now(UTC).timestamp() - 86_400)])
    await store.close()
    one = rig(keep_days=2)
    one.keeper.start()
    await until(lambda: "old records deleted" in one.said())
    assert one.calls() == ["n1-2"]


async def test_how_long_records_are_kept_may_change_meanwhile(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PURGE_EVERY", 0.1)
    one = rig(keep_days=0)
    one.keeper.start()
    one.keeper.keep(record())
    await until(lambda: one.keeper.counts.written == 1)
    one.keeper.reconfigure(RecordOptions(keep_days=2))
    await until(lambda: "old records deleted" in one.said())


async def test_an_hour_later_old_records_are_deleted_again(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PURGE_EVERY", 0.1)
    one = rig(keep_days=2)
    one.keeper.start()
    one.keeper.keep(record())
    await until(lambda: one.keeper.counts.written == 1)
    await until(lambda: "old records deleted" in one.said())
    assert one.calls() == []


async def test_records_are_read_in_the_thread_while_it_runs(rig: Callable[..., Rig]) -> None:
    one = rig()
    with pytest.raises(Unavailable, match="not kept now"):
        await one.keeper.read(lambda reader: reader.count(Filter()))
    one.keeper.start()
    one.keeper.keep(record())
    await until(lambda: one.keeper.counts.written == 1)
    here = threading.get_ident()

    async def ask(reader: Reader) -> tuple[int, bool]:
        return await reader.count(Filter()), threading.get_ident() == here

    assert await one.keeper.read(ask) == (1, False)
    await one.keeper.close()
    with pytest.raises(Unavailable, match="not kept now"):
        await one.keeper.read(ask)


async def test_a_full_database_loses_nothing_and_is_told(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.05)
    one = rig()
    one.keeper.start()
    await until(lambda: "records migrated" in one.said())
    await one.keeper.close()
    # A disk without room for another page.
    monkeypatch.setattr("sipgw.records.engine._PRAGMAS", ("journal_mode=WAL", "max_page_count=1"))
    full = rig()
    full.keeper.start()
    for number in range(200):
        full.keeper.keep(record(f"n1-{number:03}"))
    await until(lambda: full.keeper.counts.down)
    await until(lambda: len(full.alarms) == 1)
    assert "full" in full.alarms[0][1]
    await full.keeper.close()
    assert full.keeper.counts.pending > 0
    # The next start finds room.
    monkeypatch.undo()
    after = rig()
    after.keeper.start()
    await until(lambda: after.keeper.counts.pending == 0)
    assert len(after.calls()) == 200


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("in the way")
    one = Rig(tmp_path)
    with pytest.raises(Unavailable, match="records cannot be written: File exists"):
        one.keeper.start()
    await one.keeper.close()


def test_the_database_is_a_file_in_the_state_folder_unless_another_is_named(tmp_path: Path) -> None:
    assert records_url(RecordOptions(), tmp_path).render_as_string() == f"sqlite+aiosqlite:///{tmp_path}/records.db"
    named = records_url(RecordOptions(url="postgres://me:secret@db.example/calls"), tmp_path)
    assert (named.drivername, named.host, named.password) == ("postgresql+asyncpg", "db.example", "secret")
    for wrong in ("mysql://me:secret@db.example/calls", "not a url"):
        with pytest.raises(UsageError) as refused:
            records_url(RecordOptions(url=wrong), tmp_path)
        assert "secret" not in str(refused.value)
    assert "secret" not in repr(RecordOptions(url="postgres://me:secret@db.example/calls"))
