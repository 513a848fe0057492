"""The tables, as the newest migration leaves them. All times are UTC."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
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
    Column("far_status", Integer),
    Column("far_q850", Integer),
    Column("far_text", String, nullable=False),
    *(Column(name, String, nullable=False) for name in ("attestation", "attestation_source", "privacy", "diverted_by")),
    Column("headers", JSON, nullable=False),
    Column("carried", JSON, nullable=False),
    Index("calls_by_start", "started", "call"),
    Index("calls_by_caller", "caller", "started"),
    Index("calls_by_called", "called", "started"),
    Index("calls_by_cause", "cause", "started"),
    Index("calls_by_route", "route", "started"),
    Index("calls_by_sip_call_id", "sip_call_id"),
)
"""One row a call, refused ones included. `mos` is that of the worse direction; `far_status`, `far_q850` and `far_text`
are why the far end ended it, by its own word.

`carried` is what the INVITE said besides caller and called, the columns before it are what is sought most of that, and
`headers` those that the configuration lets through. What a caller wishes to keep private is in none of them."""


def _of_call() -> Column[str]:
    return Column("call", String, ForeignKey("calls.call", ondelete="CASCADE"), primary_key=True)


legs = Table(
    "legs",
    metadata,
    _of_call(),
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("dialect", String, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ready", UtcTime),
    Column("ended", UtcTime, nullable=False),
    Column("failure", String, nullable=False),
    Column("advice", String, nullable=False),
    Column("connected_ms", Integer),
    Column("heard_ms", Integer, nullable=False),
    Column("said_ms", Integer, nullable=False),
    Column("codec", String, nullable=False),
    Column("srtp", String, nullable=False),
    Column("sent_packets", Integer),
    Column("received_packets", Integer),
    Column("lost_packets", Integer),
    Column("late_packets", Integer),
    Column("jitter_ms", Float),
    Column("round_trip_ms", Float),
    Column("mos", Float),
    Column("far_lost_packets", Integer),
    Column("far_jitter_ms", Float),
    Column("far_mos", Float),
    Column("concealed_ms", Integer),
    Column("filled_ms", Integer),
    Column("drops", JSON, nullable=False),
    Column("sip_call_id", String, nullable=False),
    Index("legs_by_name", "name", "call"),
)
"""One row a leg: number 0 is the caller's (`kind` caller), then each target that was tried, in order: a backend (`ai`),
or a routing hook (`hook`) with what it said as `advice`; then who took the caller's place (`replacement`): the
caller's leg ends there, but its counters are those of the whole call.

`far_` is what the far end reported of what we sent. Packets are of RTP, so only legs that speak it have them, and
`srtp`, the suite that protected them (RFC 4568);
`heard_ms` and `said_ms` are the sound a backend was sent and the sound of its own that was taken to be played.
"""

utterances = Table(
    "utterances",
    metadata,
    _of_call(),
    Column("number", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String, nullable=False),
    Column("text", String, nullable=False),
    Index("utterances_by_time", "at"),
)
"""The transcript, where one is kept: `who` is caller or agent."""

recordings = Table(
    "recordings",
    metadata,
    _of_call(),
    Column("number", Integer, primary_key=True),
    Column("path", String, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("sha256", String, nullable=False),
    Column("paused", JSON, nullable=False),
    Column("lost_ms", Integer, nullable=False),
    Column("failure", String, nullable=False),
)
"""Files of a call's sound; what became of each."""

bindings = Table(
    "bindings",
    metadata,
    Column("node", String, primary_key=True),
    Column("phone", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("contact", String, nullable=False),
    Column("transport", String, nullable=False),
    Column("local_host", String, nullable=False),
    Column("local_port", Integer, nullable=False),
    Column("host", String, nullable=False),
    Column("port", Integer, nullable=False),
    Column("source_host", String, nullable=False),
    Column("source_port", Integer, nullable=False),
    Column("registered", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("call_id", String, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("path", JSON, nullable=False),
    Column("direct", Boolean, nullable=False),
    Column("natted", Boolean, nullable=False),
    Column("user_agent", String, nullable=False),
)
"""Where phones are registered: one row a place. `host` is where it is called, `source_host` where it came from."""

TABLES = (calls, legs, utterances, recordings)
"""Those of a call, in the order in which they are written."""
