"""Whether a result has sound."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("has_audio", sa.Boolean(), server_default=sa.false(), nullable=False))
