"""What the INVITE carried besides caller and called."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Six columns; of calls before nobody knows."""
    for name in ("attestation", "attestation_source", "privacy", "diverted_by"):
        op.add_column("calls", sa.Column(name, sa.String, nullable=False, server_default=""))
    for name in ("headers", "carried"):
        op.add_column("calls", sa.Column(name, sa.JSON, nullable=False, server_default="{}"))
