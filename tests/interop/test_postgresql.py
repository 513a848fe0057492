"""Records in a real PostgreSQL: the same contract as in a file, and a server that goes away and comes back."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from sipgw.records.reading import Reader
from sipgw.records.rows import rows as rows_of
from sipgw.records.schema import TABLES
from tests.interop.postgresql import Cluster, cluster
from tests.records.contract import CONTRACT, Check, rows
from tests.records.reading import FOUND, FilterCase, filled, ids
from tests.records.records import record
from tests.records.test_keeper import Rig, until

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server for all tests of this file."""
    with cluster() as running:
        yield running


@pytest.mark.parametrize("check", CONTRACT)
async def test_on_postgresql(check: Check, server: Cluster) -> None:
    await check(server.database())


async def test_a_server_that_is_restarted_gets_every_record_once(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipgw.records.runner._FIRST_PAUSE", 0.05)
    url = server.database()
    one = Rig(tmp_path, url=url.set(drivername="postgresql").render_as_string(hide_password=False))
    one.keeper.start()
    try:
        one.keeper.keep(record("n1-0"))
        await until(lambda: one.keeper.counts.written == 1)
        server.stop()
        for number in range(1, 300):
            one.keeper.keep(record(f"n1-{number}"))
        await until(lambda: one.keeper.counts.down)
        await until(lambda: [name for name, _ in one.alarms] == ["records_database"])
        server.start()
        one.keeper.keep(record("n1-300"))
        await until(lambda: one.keeper.counts.pending == 0)
    finally:
        await one.keeper.close()
    assert len(await rows(url)) == 301
    assert (one.keeper.counts.written, one.keeper.counts.failed, one.keeper.counts.down) == (301, 0, False)
    assert len(one.alarms) == 1


async def test_a_gateway_starts_without_its_database_and_writes_when_it_comes(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipgw.records.runner._FIRST_PAUSE", 0.05)
    url = server.database()
    server.stop()
    one = Rig(tmp_path, url=url.set(drivername="postgresql").render_as_string(hide_password=False))
    one.keeper.start()
    try:
        one.keeper.keep(record())
        await until(lambda: one.keeper.counts.down)
        server.start()
        await until(lambda: one.keeper.counts.written == 1)
    finally:
        await one.keeper.close()
    assert len(await rows(url)) == 1


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
async def test_a_filter_finds_its_calls(case: FilterCase, server: Cluster, full: URL) -> None:
    reader = Reader(full)
    assert ids(await reader.newest(case.wanted, 50)) == case.calls
    stories = [story async for page in reader.stories(case.wanted) for story in page]
    assert [story.call["call"] for story in stories] == case.calls[::-1]
    await reader.close()


async def test_a_call_whole(server: Cluster, full: URL) -> None:
    reader = Reader(full)
    story = await reader.story("n1-1@phone")
    assert story is not None
    every = rows_of(record())
    assert ([story.call], *story.parts) == tuple(every[table.name] for table in TABLES)
    await reader.close()


@pytest.fixture(scope="module")
def full(server: Cluster) -> URL:
    """A database with calls in it."""
    return asyncio.run(filled(server.database()))
