"""Where phones are registered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One table; phones registered nowhere before."""
    op.create_table(
        "bindings",
        sa.Column("node", sa.String, primary_key=True),
        sa.Column("phone", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("contact", "transport", "call_id", "user_agent")),
        *(sa.Column(f"{name}host", sa.String, nullable=False) for name in ("local_", "", "source_")),
        *(sa.Column(f"{name}port", sa.Integer, nullable=False) for name in ("local_", "", "source_")),
        sa.Column("registered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cseq", sa.Integer, nullable=False),
        sa.Column("path", sa.JSON, nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("direct", "natted")),
    )
