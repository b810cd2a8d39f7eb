"""What a generation costs, and what is known of a job at a service whose fate is not."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("cost", sa.JSON(), nullable=True))
    op.add_column("generations", sa.Column("attention", sa.JSON(), nullable=True))
