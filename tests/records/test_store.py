"""The store on SQLite."""

import stat
from pathlib import Path

import pytest

from sipgw.errors import Unavailable
from sipgw.records.engine import file_url, open_engine
from sipgw.records.store import Store, said
from tests.records.contract import CONTRACT, Check, rows
from tests.records.records import record


@pytest.mark.parametrize("check", CONTRACT)
async def test_on_sqlite(check: Check, tmp_path: Path) -> None:
    await check(file_url(tmp_path / "records.db"))


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "records.db"))
    await store.migrate()
    await store.write([record()])
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    await store.close()


async def test_a_commit_is_on_the_disk_when_it_returns_and_readers_do_not_wait(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "records.db"))
    await store.migrate()
    assert await rows(file_url(tmp_path / "records.db"), "PRAGMA synchronous") == [{"synchronous": 2}]
    assert await rows(file_url(tmp_path / "records.db"), "PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    await store.close()


async def test_a_database_that_a_newer_program_wrote_is_left_alone(tmp_path: Path) -> None:
    url = file_url(tmp_path / "records.db")
    store = Store(url)
    await store.migrate()
    engine = open_engine(url, writing=True)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await engine.dispose()
    with pytest.raises(Unavailable, match=r"9999.*newer one has written it"):
        await store.migrate()
    await store.close()


async def test_a_folder_that_is_not_there_is_the_databases_fault_and_named_without_numbers(tmp_path: Path) -> None:
    store = Store(file_url(tmp_path / "none" / "records.db"))
    with pytest.raises(Exception, match="No such file") as failed:
        await store.migrate()
    assert said(failed.value).startswith("FileNotFoundError: [Errno 2] No such file or directory")
    await store.close()
