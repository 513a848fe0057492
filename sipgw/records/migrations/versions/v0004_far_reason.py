"""Why the far end ended a call, by its own word."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Three columns; nobody kept it before."""
    op.add_column("calls", sa.Column("far_status", sa.Integer))
    op.add_column("calls", sa.Column("far_q850", sa.Integer))
    op.add_column("calls", sa.Column("far_text", sa.String, nullable=False, server_default=""))
