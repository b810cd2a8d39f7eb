"""From when the retention of a generation counts, when it was used last, and what was taken of quotas."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # It was never set.
    op.execute("ALTER TABLE generations RENAME COLUMN expires_at TO kept_from")
    op.add_column("generations", sa.Column("used_at", sa.Float(), nullable=True))
    op.execute("UPDATE generations SET kept_from = finished_at, used_at = finished_at WHERE finished_at IS NOT NULL")
    op.create_index("ix_generations_kept_from", "generations", ["kept_from"], unique=False)
    op.create_index("ix_generations_used_at", "generations", ["used_at"], unique=False)
    op.create_table(
        "quota_uses",
        sa.Column("generation_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("address_hash", sa.String(), nullable=True),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("generation_id"),
    )
    op.create_index("ix_quota_uses_session", "quota_uses", ["session_id", "engine", "at"], unique=False)
    op.create_index("ix_quota_uses_address", "quota_uses", ["address_hash", "engine", "at"], unique=False)
