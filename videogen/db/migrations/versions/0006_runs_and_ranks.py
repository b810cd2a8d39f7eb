"""Measured runs, from which it is told how long a render takes; places in the line that their owner has changed."""

import sqlalchemy as sa
from alembic import op

from videogen.db.columns import big

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("rank", big(), nullable=True))
    op.add_column("generations", sa.Column("expected_wait_seconds", sa.Float(), nullable=True))
    op.create_table(
        "runs",
        sa.Column("id", big(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("steps", big(), nullable=False),
        sa.Column("frames", big(), nullable=False),
        sa.Column("startup", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    kind = ["engine", "engine_version", "type", "width", "height", "steps", "id"]
    op.create_index("ix_runs_kind", "runs", kind, unique=False)
