"""Calls."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_TEXTS = ("node", "sip_call_id", "source", "trunk", "route", "caller", "caller_name", "called", "target")


def upgrade() -> None:
    """The table of calls."""
    op.create_table(
        "calls",
        sa.Column("call", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in _TEXTS),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ringing", sa.DateTime(timezone=True)),
        sa.Column("answered", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("post_dial_seconds", sa.Float),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("q850", sa.Integer, nullable=False),
        sa.Column("hung_up_by", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("codec", sa.String, nullable=False),
        sa.Column("digits", sa.Integer, nullable=False),
        sa.Column("first_audio_ms", sa.Integer),
        sa.Column("mos", sa.Float),
        sa.Column("turns_ms", sa.JSON, nullable=False),
        sa.Column("turn_p50_ms", sa.Integer),
        sa.Column("turn_p95_ms", sa.Integer),
    )
    op.create_index("calls_by_start", "calls", ["started", "call"])
    for column in ("caller", "called", "cause", "route"):
        op.create_index(f"calls_by_{column}", "calls", [column, "started"])
    op.create_index("calls_by_sip_call_id", "calls", ["sip_call_id"])
