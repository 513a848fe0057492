"""Brings a database to the newest version of the tables, from whichever it is at; all of it or nothing."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from sipgw.errors import Unavailable

_LOCK = 0x73697067
"""PostgreSQL's advisory lock for migrations: `sipg`. Two gateways that start together take turns."""


def migrate(connection: Connection, target: str = "head") -> tuple[str, str]:
    """Migrate inside the connection's transaction; returns the versions before and after, empty for a new database.

    Raises:
        Unavailable: a newer version of this program has written the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = version_of(connection)
    if before and before not in versions():
        raise Unavailable(
            f"the database is of version {before}, which this program does not know: "
            "a newer one has written it; upgrade, or use another database"
        )
    if before != newest():
        command.upgrade(_config(connection), target)
    return before, version_of(connection)


def version_of(connection: Connection) -> str:
    """The version of the tables; empty where there are none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def versions() -> tuple[str, ...]:
    """All versions this program knows, in order."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


def newest() -> str:
    """The version this program wants."""
    return versions()[-1]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "sipgw.records:migrations")
    config.attributes["connection"] = connection
    return config
