"""Reads records: a page of calls, one call whole, or all of them in order. Works while a gateway writes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import URL, ColumnElement, Select, Table, and_, exists, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from sipgw.errors import Unavailable
from sipgw.records.engine import open_engine
from sipgw.records.migrate import newest, version_of, versions
from sipgw.records.schema import calls, legs, recordings, utterances
from sipgw.records.store import said

Row = dict[str, Any]
"""Column to value; times carry their zone, UTC."""
Place = tuple[datetime, str]
"""A call's place in the order of time: when it began, and its id."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls. What is empty does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""
    number: str = ""
    """Caller or called: exact, or what it begins with and `*`."""
    cause: str = ""
    route: str = ""
    trunk: str = ""
    backend: str = ""
    """One that was tried, whatever became of it."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(calls.c.started >= self.since)
        if self.until is not None:
            found.append(calls.c.started < self.until)
        if self.number:
            found.append(or_(_fits(calls.c.caller, self.number), _fits(calls.c.called, self.number)))
        found += [calls.c[name] == wanted for name in ("cause", "route", "trunk") if (wanted := getattr(self, name))]
        if self.backend:
            tried = and_(legs.c.call == calls.c.call, legs.c.kind == "ai", legs.c.name == self.backend)
            found.append(exists().where(tried))
        return found


@dataclass(frozen=True, slots=True)
class Story:
    """All there is of one call."""

    call: Row
    legs: list[Row]
    utterances: list[Row]
    recordings: list[Row]

    @property
    def parts(self) -> tuple[list[Row], list[Row], list[Row]]:
        """What belongs to the call."""
        return self.legs, self.utterances, self.recordings

    def document(self) -> Row:
        """As one mapping: the call, and the rest below it."""
        inner = {
            "legs": [_without(row, "call") for row in self.legs],
            "transcript": [_without(row, "call", "number") for row in self.utterances],
            "recordings": [_without(row, "call", "number") for row in self.recordings],
        }
        return {**self.call, **inner}


class Reader:
    """The database, for reading. Use it from one event loop.

    Args:
        url: of the database.
    """

    def __init__(self, url: URL) -> None:
        self._engine = open_engine(url, writing=False)
        self._checked = False

    async def newest(self, wanted: Filter, limit: int, before: Place | None = None) -> list[Row]:
        """The newest calls, the newest first; `before` continues after the last of a page."""
        order = (calls.c.started.desc(), calls.c.call.desc())
        query = select(calls).where(*wanted.conditions()).order_by(*order).limit(limit)
        if before is not None:
            started, call = before
            earlier = and_(calls.c.started == started, calls.c.call < call)
            query = query.where(or_(calls.c.started < started, earlier))
        async with self._connected() as connection:
            return await _rows(connection, query)

    async def story(self, call: str) -> Story | None:
        """A call by its id, or by its SIP Call-ID; None where there is none."""
        query = select(calls).where(or_(calls.c.call == call, calls.c.sip_call_id == call)).limit(1)
        async with self._connected() as connection:
            found = await _rows(connection, query)
            return (await _stories(connection, found))[0] if found else None

    async def count(self, wanted: Filter) -> int:
        """How many calls there are."""
        async with self._connected() as connection:
            found = await connection.execute(select(func.count()).select_from(calls).where(*wanted.conditions()))
            return int(found.scalar_one())

    async def stories(self, wanted: Filter) -> AsyncIterator[list[Story]]:
        """All calls in the order they began, some at a time; what is written meanwhile may be among them."""
        order = (calls.c.started, calls.c.call)
        query = select(calls).where(*wanted.conditions()).order_by(*order).limit(_PAGE)
        page = query
        while True:
            async with self._connected() as connection:
                found = await _rows(connection, page)
                stories = await _stories(connection, found)
            if stories:
                yield stories
            if len(stories) < _PAGE:
                return
            last = stories[-1].call
            later = and_(calls.c.started == last["started"], calls.c.call > last["call"])
            page = query.where(or_(calls.c.started > last["started"], later))

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """A connection to tables we know. Raises Unavailable."""
        try:
            async with self._engine.begin() as connection:
                if not self._checked:
                    _check(await connection.run_sync(version_of))
                    self._checked = True
                yield connection
        except (DBAPIError, OSError) as error:
            raise Unavailable(f"the records cannot be read: {said(error)}") from None


def _check(version: str) -> None:
    if version == newest():
        return
    if not version:
        raise Unavailable("there are no records yet: a gateway makes the tables when it starts")
    if version in versions():
        raise Unavailable(
            f"the tables are of version {version}, this program wants {newest()}: run `sipgw cdr migrate`, "
            "or start the gateway, which does it too"
        )
    raise Unavailable(f"the tables are of version {version}: a newer sipgw has written them; upgrade this one")


def _fits(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    return column.startswith(pattern[:-1], autoescape=True) if pattern.endswith("*") else column == pattern


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _stories(connection: AsyncConnection, found: Sequence[Row]) -> list[Story]:
    """What belongs to these calls, in three queries."""
    ids = [row["call"] for row in found]
    parts = [await _by_call(connection, table, ids) for table in (legs, utterances, recordings)]
    return [Story(row, *(part.get(row["call"], []) for part in parts)) for row in found]


async def _by_call(connection: AsyncConnection, table: Table, ids: list[str]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    query = select(table).where(table.c.call.in_(ids)).order_by(table.c.call, table.c.number)
    for row in await _rows(connection, query):
        grouped.setdefault(row["call"], []).append(row)
    return grouped


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}
