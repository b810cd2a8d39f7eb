"""The image that a generation ends with."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # In place, with its reference, as in 0002.
    op.add_column(
        "generations",
        sa.Column("last_frame_file_id", sa.String(), sa.ForeignKey("uploads.id"), nullable=True),
        inline_references=True,
    )
    op.create_index(op.f("ix_generations_last_frame_file_id"), "generations", ["last_frame_file_id"], unique=False)
