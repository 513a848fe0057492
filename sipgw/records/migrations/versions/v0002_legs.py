"""Legs, transcripts and recordings, beside the calls."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _of_call() -> tuple[sa.Column[str], sa.Column[int]]:
    call = sa.Column("call", sa.String, sa.ForeignKey("calls.call", ondelete="CASCADE"), primary_key=True)
    return call, sa.Column("number", sa.Integer, primary_key=True)


def upgrade() -> None:
    """Three tables; calls written before have no rows in them."""
    op.create_table(
        "legs",
        *_of_call(),
        *(sa.Column(name, sa.String, nullable=False) for name in ("kind", "name", "dialect")),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", sa.String, nullable=False),
        sa.Column("connected_ms", sa.Integer),
        sa.Column("heard_ms", sa.Integer, nullable=False),
        sa.Column("said_ms", sa.Integer, nullable=False),
        sa.Column("codec", sa.String, nullable=False),
        *(sa.Column(f"{name}_packets", sa.Integer) for name in ("sent", "received", "lost", "late")),
        *(sa.Column(name, sa.Float) for name in ("jitter_ms", "round_trip_ms", "mos")),
        sa.Column("far_lost_packets", sa.Integer),
        *(sa.Column(name, sa.Float) for name in ("far_jitter_ms", "far_mos")),
        *(sa.Column(name, sa.Integer) for name in ("concealed_ms", "filled_ms")),
        sa.Column("drops", sa.JSON, nullable=False),
    )
    op.create_index("legs_by_name", "legs", ["name", "call"])
    op.create_table(
        "utterances",
        *_of_call(),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("who", "text")),
    )
    op.create_index("utterances_by_time", "utterances", ["at"])
    op.create_table(
        "recordings",
        *_of_call(),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("paused", sa.JSON, nullable=False),
        sa.Column("lost_ms", sa.Integer, nullable=False),
        sa.Column("failure", sa.String, nullable=False),
    )
