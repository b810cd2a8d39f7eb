"""Where the database was restored from a snapshot: when, and which event numbers were given out since."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("snapshot_at", sa.Float(), nullable=False),
        sa.Column("restored_at", sa.Float(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("events_after", sa.BigInteger(), nullable=False),
        sa.Column("events_until", sa.BigInteger(), nullable=False),
    )
