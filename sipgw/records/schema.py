"""The tables, as the newest migration leaves them. All times are UTC."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)  # fmt: skip


class UtcTime(TypeDecorator[datetime]):
    """A moment with its zone, on databases that keep zones and on those that do not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: SQLite has no zones, so the zone is left out there, which is always UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("call", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("sip_call_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("trunk", String, nullable=False),
    Column("route", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("caller_name", String, nullable=False),
    Column("called", String, nullable=False),
    Column("target", String, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ringing", UtcTime),
    Column("answered", UtcTime),
    Column("ended", UtcTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("post_dial_seconds", Float),
    Column("cause", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("q850", Integer, nullable=False),
    Column("hung_up_by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("codec", String, nullable=False),
    Column("digits", Integer, nullable=False),
    Column("first_audio_ms", Integer),
    Column("mos", Float),
    Column("turns_ms", JSON, nullable=False),
    Column("turn_p50_ms", Integer),
    Column("turn_p95_ms", Integer),
    Index("calls_by_start", "started", "call"),
    Index("calls_by_caller", "caller", "started"),
    Index("calls_by_called", "called", "started"),
    Index("calls_by_cause", "cause", "started"),
    Index("calls_by_route", "route", "started"),
    Index("calls_by_sip_call_id", "sip_call_id"),
)
"""One row a call, refused ones included. `mos` is that of the worse direction."""
