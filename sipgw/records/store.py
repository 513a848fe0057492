"""Writes records: many in a transaction, each once however often it comes, and one that cannot be written by itself."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import URL, Delete, delete, insert, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from sipgw.call.cdr import CallRecord
from sipgw.records.engine import open_engine
from sipgw.records.migrate import migrate
from sipgw.records.rows import rows
from sipgw.records.schema import TABLES, bindings, calls, utterances
from sipgw.records.shelf import KeptBinding, Shelf

_UNWRITABLE = (DataError, IntegrityError, OverflowError, ValueError)
"""Means that a record is at fault and not the database. A driver's own word may be one of the causes alone."""
_AT_ONCE = 500
"""Rows that one statement deletes: others get their turn in between."""


class Store:
    """The database, for writing. Use it from one event loop.

    Args:
        url: of the database.
    """

    def __init__(self, url: URL) -> None:
        self._engine = open_engine(url, writing=True)
        self.migrated = False
        """The tables are up to date."""

    async def migrate(self) -> tuple[str, str]:
        """Bring the tables up to date; returns the versions before and after."""
        async with self._engine.begin() as connection:
            versions = await connection.run_sync(migrate)
        self.migrated = True
        return versions

    async def write(self, records: Sequence[CallRecord]) -> list[tuple[CallRecord, str]]:
        """Write records that are not there yet; returns those that no database would take, each with the reason.

        Raises:
            Exception: the database cannot be reached or does not work; nothing was written.
        """
        try:
            await self._write(records)
        except (*_UNWRITABLE, StatementError) as error:
            if not at_fault(error):
                raise
        else:
            return []
        return [(record, why) for record in records if (why := await self._alone(record))]

    async def write_bindings(self, shelf: Shelf) -> None:
        """Write what waits there.

        Raises:
            Exception: the database does not take it now; it still waits.
        """
        taken = shelf.take()
        if not taken:
            return
        try:
            async with self._engine.begin() as connection:
                for node, phone in taken:
                    of_phone = (bindings.c.node == node) & (bindings.c.phone == phone)
                    await connection.execute(delete(bindings).where(of_phone))
                if found := [row for rows in taken.values() for row in rows]:
                    await connection.execute(insert(bindings), found)
        except Exception:
            shelf.put_back(taken)
            raise

    async def bindings(self, node: str) -> dict[str, list[KeptBinding]]:
        """Where the phones of a node are registered, by phone."""
        query = select(bindings).where(bindings.c.node == node).order_by(bindings.c.phone, bindings.c.number)
        found: dict[str, list[KeptBinding]] = {}
        async with self._engine.begin() as connection:
            for row in (await connection.execute(query)).mappings():
                found.setdefault(row["phone"], []).append(KeptBinding.of(dict(row)))
        return found

    async def purge(self, before: datetime) -> int:
        """Delete the records of calls that began before then; returns how many."""
        oldest = select(calls.c.call).where(calls.c.started < before).limit(_AT_ONCE)
        return await self._delete(delete(calls).where(calls.c.call.in_(oldest)))

    async def forget_words(self, before: datetime) -> int:
        """Delete what was said before then; returns how many utterances."""
        oldest = select(utterances.c.call).where(utterances.c.at < before).limit(_AT_ONCE)
        return await self._delete(delete(utterances).where(utterances.c.at < before, utterances.c.call.in_(oldest)))

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def _delete(self, some: Delete) -> int:
        """Repeat a statement that deletes some until there is nothing left."""
        deleted = 0
        while True:
            async with self._engine.begin() as connection:
                gone = await connection.execute(some)
            if not gone.rowcount:
                return deleted
            deleted += gone.rowcount

    async def _alone(self, record: CallRecord) -> str:
        """Write one record; returns why not."""
        try:
            await self._write([record])
        except (*_UNWRITABLE, StatementError) as error:
            why = at_fault(error)
            if not why:
                raise
            return why
        return ""

    async def _write(self, records: Sequence[CallRecord]) -> None:
        async with self._engine.begin() as connection:
            new = await self._new(connection, records)
            every = [rows(record) for record in new]
            for table in TABLES:
                if found := [row for one in every for row in one[table.name]]:
                    await connection.execute(insert(table), found)

    async def _new(self, connection: AsyncConnection, records: Sequence[CallRecord]) -> list[CallRecord]:
        """Those that are not there. The first word about a call counts: a second one comes from a restart in the
        middle of its end, and knows less.
        """
        wanted = {record.call: record for record in reversed(records)}
        there = await connection.execute(select(calls.c.call).where(calls.c.call.in_(wanted)))
        for call in there.scalars():
            del wanted[call]
        return list(wanted.values())


def said(error: Exception) -> str:
    """What was wrong with the database, in a line."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    return f"{type(cause).__name__}: {cause}".partition("\n")[0][:200]


def at_fault(error: Exception) -> str:
    """The name of what is wrong with a record; empty where the database is at fault. Values are nobody's business."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _UNWRITABLE):
            return type(cause).__name__
        cause = cause.__cause__
    return ""
