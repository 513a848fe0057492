"""Which SIP dialog a leg had: a call has several where another far end took the caller's place."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """One column; the caller's leg had that of its call."""
    op.add_column("legs", sa.Column("sip_call_id", sa.String, nullable=False, server_default=""))
