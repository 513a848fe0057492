"""From a URL to an engine: SQLite or PostgreSQL, set up so that a commit is a promise.

SQLite writes ahead (WAL), so that readers and the writer do not wait for each other, and synchronises at every commit
(FULL, not NORMAL): a record leaves the journal once the database has it, so the database must have it for good. A
commit holds many records and waits in no loop that carries calls.
"""

import os
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sipgw.errors import UsageError

_BUSY_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 30.0
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def database_url(text: str) -> URL:
    """The URL with our driver in it.

    Raises:
        UsageError: it is not a URL, or of a database we have no driver for. The message does not quote it, as it may
            hold a password.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise UsageError("is not a database URL; write postgresql://user:password@host/name") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise UsageError(f"{url.get_backend_name()} is no database we know; write postgresql://… or sqlite:///…")
    if driver.endswith("asyncpg") and find_spec("asyncpg") is None:
        raise UsageError("needs the driver asyncpg: pip install 'sipgw[postgresql]'")
    return url.set(drivername=driver)


def file_url(path: Path) -> URL:
    """The URL of a database in a file."""
    return URL.create("sqlite+aiosqlite", database=str(path))


def open_engine(url: URL, *, writing: bool) -> AsyncEngine:
    """An engine that connects when it is first used.

    Args:
        url: of `database_url` or `file_url`.
        writing: its transactions write, so SQLite takes the lock at their beginning and not in their middle.
    """
    if url.get_backend_name() != "sqlite":
        waits = {"timeout": _CONNECT_SECONDS, "command_timeout": _COMMAND_SECONDS}
        return create_async_engine(
            url, pool_size=1, max_overflow=4, pool_pre_ping=True, connect_args=waits, hide_parameters=True
        )
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine.sync_engine, "do_connect", _make if writing else _try)
    event.listen(engine.sync_engine, "connect", _set_up)
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def _make(dialect: object, record: object, arguments: list[Any], more: object) -> None:
    """A new file is for its owner alone: numbers of callers are nobody else's business."""
    if not os.path.exists(arguments[0]):
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    _try(dialect, record, arguments, more)


def _try(dialect: object, record: object, arguments: list[Any], more: object) -> None:
    """Open the file once without the driver: its thread outlives a connection that fails, and may outlive our loop."""
    sqlite3.connect(f"file:{quote(arguments[0])}?mode=rw", uri=True).close()


def _set_up(connection: Any, record: object) -> None:
    connection.isolation_level = None  # its own idea of when a transaction begins leaves out DDL
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
