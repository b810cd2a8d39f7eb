"""Whether the queue of a session is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("queue_paused", sa.Boolean(), server_default=sa.false(), nullable=False))
