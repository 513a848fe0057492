"""From a URL to an engine: SQLite or PostgreSQL, set up so that a commit is a promise.

SQLite writes ahead (WAL), so that readers and the writer do not wait for each other, and synchronises at every commit
(FULL, not NORMAL): a record leaves the journal once the database has it, so the database must have it for good. A
commit holds many records and waits in no loop that carries calls.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sipgw.errors import UsageError

_BUSY_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 30.0
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def database_url(text: str) -> URL:
    """The URL with our driver in it.

    Raises:
        UsageError: it is not a URL, or of another database; the message does not quote it, as it may hold a password.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise UsageError("is not a database URL; write postgresql://user:password@host/name") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise UsageError(f"{url.get_backend_name()} is no database we know; write postgresql://… or sqlite:///…")
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
    if url.database:
        _make_private(Path(url.database))
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _set_up)
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def _make_private(path: Path) -> None:
    """The file is for its owner alone; numbers of callers are nobody else's business."""
    if not path.exists() and path.parent.is_dir():
        path.touch(mode=0o600)


def _set_up(connection: Any, record: object) -> None:
    connection.isolation_level = None  # its own idea of when a transaction begins leaves out DDL
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
