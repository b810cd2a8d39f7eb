"""Images to start from: the table of uploads, and which of them a generation starts from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_uploads_digest", "uploads", ["session_id", "digest"], unique=True)
    # In place, with its reference: a batch would copy the table, and forget which numbers were given away already.
    op.add_column(
        "generations",
        sa.Column("input_file_id", sa.String(), sa.ForeignKey("uploads.id"), nullable=True),
        inline_references=True,
    )
    op.create_index(op.f("ix_generations_input_file_id"), "generations", ["input_file_id"], unique=False)
