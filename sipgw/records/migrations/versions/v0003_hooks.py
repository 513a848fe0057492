"""What a routing hook said, with its leg."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One column; hooks said nothing before."""
    op.add_column("legs", sa.Column("advice", sa.String, nullable=False, server_default=""))
