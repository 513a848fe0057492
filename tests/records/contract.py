"""What a store has to do, on whichever database. Each takes the URL of an empty one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, TypeDecorator, bindparam, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sipgw.call.cdr import Utterance
from sipgw.records.engine import open_engine
from sipgw.records.migrate import migrate, newest
from sipgw.records.rows import moment
from sipgw.records.rows import rows as rows_of
from sipgw.records.schema import TABLES, calls, metadata
from sipgw.records.store import Store
from tests.records.records import NOON, record, refused

Check = Callable[[URL], Awaitable[None]]


@asynccontextmanager
async def connected(url: URL, *, writing: bool = False) -> AsyncIterator[AsyncConnection]:
    """A connection of our own, in one transaction."""
    engine = open_engine(url, writing=writing)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def rows(url: URL, query: str = "SELECT * FROM calls ORDER BY started, call") -> list[dict[str, Any]]:
    """What is in the database, by hand."""
    async with connected(url) as connection:
        found = await connection.execute(text(query))
        return [dict(row) for row in found.mappings()]


async def migrated(url: URL) -> Store:
    store = Store(url)
    await store.migrate()
    return store


async def every_column_comes_back(url: URL) -> None:
    store = await migrated(url)
    assert await store.write([record(), refused()]) == []
    await store.close()
    async with connected(url) as connection:
        for table in TABLES:
            found = await connection.execute(select(table).order_by(*table.primary_key))
            expected = rows_of(record())[table.name] + rows_of(refused())[table.name]
            assert [dict(row) for row in found.mappings()] == expected, table.name


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
    assert len(await rows(url, "SELECT * FROM legs")) == 3 * 51
    assert await store.purge(datetime.now(UTC) - timedelta(days=1)) == 51
    await store.close()


async def words_are_forgotten_before_their_call(url: URL) -> None:
    store = await migrated(url)
    later = Utterance(NOON + 100, "agent", "Good-bye.")
    await store.write([record(), record("n1-2", transcript=(*record().transcript, later)), refused("n1-3")])
    assert await store.forget_words(moment(NOON + 99)) == 4
    assert await rows(url, "SELECT call, text FROM utterances") == [{"call": "n1-2", "text": "Good-bye."}]
    assert await store.forget_words(moment(NOON + 99)) == 0
    assert await store.forget_words(moment(NOON + 101)) == 1
    assert len(await rows(url)) == 3
    await store.close()


async def the_newest_version_is_what_the_tables_are_described_as(url: URL) -> None:
    await (await migrated(url)).close()
    async with connected(url) as connection:
        assert await connection.run_sync(_differences) == []


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": _same_kind})
    return list(compare_metadata(context, metadata))


def _same_kind(context: object, found: object, wanted: object, here: Any, there: Any) -> bool:
    """Whether two types differ: zones and lengths are the database's own affair, its kinds of values are not."""
    wanted_type = there.impl_instance if isinstance(there, TypeDecorator) else there
    return here.python_type is not wanted_type.python_type


async def a_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(url: URL) -> None:
    async with connected(url, writing=True) as connection:
        assert await connection.run_sync(migrate, "0001") == ("", "0001")
        had = await connection.run_sync(lambda sync: {one["name"] for one in inspect(sync).get_columns("calls")})
        old = {name: value for name, value in rows_of(record("n1-old"))["calls"][0].items() if name in had}
        columns, values = ", ".join(old), ", ".join(f":{name}" for name in old)
        statement = text(f"INSERT INTO calls ({columns}) VALUES ({values})")
        described = [bindparam(name, type_=calls.c[name].type) for name in old]
        await connection.execute(statement.bindparams(*described), old)
    store = Store(url)
    assert await store.migrate() == ("0001", newest())
    await store.write([record("n1-new"), record("n1-old", cause="internal")])
    found = await rows(url, "SELECT c.call, c.cause, l.name FROM calls c LEFT JOIN legs l USING (call) ORDER BY 1, 3")
    assert [tuple(row.values()) for row in found] == [
        ("n1-new", "normal", "+4930123"), ("n1-new", "normal", "first"), ("n1-new", "normal", "second"),
        ("n1-old", "normal", None),
    ]  # fmt: skip
    await store.close()


async def migrating_twice_changes_nothing(url: URL) -> None:
    store = Store(url)
    assert await store.migrate() == ("", newest())
    assert await store.migrate() == (newest(), newest())
    await store.close()


async def two_gateways_may_start_at_once(url: URL) -> None:
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
    words_are_forgotten_before_their_call,
    the_newest_version_is_what_the_tables_are_described_as,
    a_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it,
    migrating_twice_changes_nothing,
    two_gateways_may_start_at_once,
]
