"""How the RTP of a leg was protected."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """A column; before, no leg was."""
    op.add_column("legs", sa.Column("srtp", sa.String, nullable=False, server_default=""))
