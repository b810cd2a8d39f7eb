"""What a moderation hook has flagged, and reports of visitors."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


_SET = sa.text("flagged IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("flagged", sa.String(), nullable=True))
    op.create_index("ix_generations_flagged", "generations", ["flagged"], sqlite_where=_SET, postgresql_where=_SET)
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("generation_id", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_reports_generation_id"), "reports", ["generation_id"], unique=False)
