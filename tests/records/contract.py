"""What a store has to do, on whichever database. Each takes the URL of an empty one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import URL, insert, select, text

from sipgw.call.cdr import CallRecord
from sipgw.records.engine import open_engine
from sipgw.records.migrate import newest
from sipgw.records.rows import call_row, moment
from sipgw.records.schema import calls
from sipgw.records.store import Store
from tests.records.records import NOON, record, refused

Check = Callable[[URL], Awaitable[None]]


async def rows(url: URL, query: str = "SELECT * FROM calls ORDER BY started, call") -> list[dict[str, Any]]:
    """What is in the database, by hand."""
    engine = open_engine(url, writing=False)
    async with engine.connect() as connection:
        found = await connection.execute(text(query))
        taken = [dict(row) for row in found.mappings()]
    await engine.dispose()
    return taken


async def migrated(url: URL) -> Store:
    store = Store(url)
    await store.migrate()
    return store


async def every_column_comes_back(url: URL) -> None:
    store = await migrated(url)
    assert await store.write([record(), refused()]) == []
    engine = open_engine(url, writing=False)
    async with engine.connect() as connection:
        found = await connection.execute(select(calls).order_by(calls.c.call))
        assert [dict(row) for row in found.mappings()] == [call_row(record()), call_row(refused())]
    await engine.dispose()
    await store.close()


async def a_record_is_there_once_however_often_it_comes(url: URL) -> None:
    store = await migrated(url)
    await store.write([record(), record(cause="signalling_lost")])
    await store.write([record("n1-3"), record(cause="internal")])
    await store.close()
    again = await migrated(url)
    await again.write([record(cause="shutdown")])
    await again.close()
    assert [(row["call"], row["cause"]) for row in await rows(url)] == [("n1-1", "normal"), ("n1-3", "normal")]


async def a_record_no_database_takes_costs_the_others_nothing(url: URL) -> None:
    store = await migrated(url)
    bad = record("n1-bad", status=10**30)
    refused_ones = await store.write([record(), bad, record("n1-3")])
    assert [one for one, _ in refused_ones] == [bad]
    assert refused_ones[0][1]
    assert [row["call"] for row in await rows(url)] == ["n1-1", "n1-3"]
    await store.close()


async def what_is_too_old_is_deleted(url: URL) -> None:
    store = await migrated(url)
    old = [record(f"n1-{number:04}", started=NOON - number) for number in range(1201)]
    for start in range(0, len(old), 100):
        await store.write(old[start : start + 100])
    assert await store.purge(moment(NOON - 50)) == 1150
    assert await store.purge(moment(NOON - 50)) == 0
    assert len(await rows(url)) == 51
    assert await store.purge(datetime.now(UTC) - timedelta(days=1)) == 51
    await store.close()


async def migrating_twice_changes_nothing(url: URL) -> None:
    store = Store(url)
    assert await store.migrate() == ("", newest())
    assert await store.migrate() == (newest(), newest())
    await store.close()


async def two_gateways_may_start_at_once(url: URL) -> None:
    import asyncio

    one, other = Store(url), Store(url)
    done = await asyncio.gather(one.migrate(), other.migrate())
    assert sorted(done) == [("", newest()), (newest(), newest())]
    await asyncio.gather(one.write([record()]), other.write([record("n2-1")]))
    assert len(await rows(url)) == 2
    await one.close()
    await other.close()


CONTRACT: list[Check] = [
    every_column_comes_back,
    a_record_is_there_once_however_often_it_comes,
    a_record_no_database_takes_costs_the_others_nothing,
    what_is_too_old_is_deleted,
    migrating_twice_changes_nothing,
    two_gateways_may_start_at_once,
]

__all__ = ["CONTRACT", "CallRecord", "Check", "insert", "rows"]
