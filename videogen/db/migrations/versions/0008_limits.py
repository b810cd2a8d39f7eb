"""Whose a queued or running generation is by address; indexes that add up what is stored."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("address_hash", sa.String(), nullable=True))
    op.drop_index("ix_files_session_id", table_name="files")
    op.create_index("ix_files_session_size", "files", ["session_id", "size_bytes"], unique=False)
    op.create_index("ix_uploads_session_size", "uploads", ["session_id", "size_bytes"], unique=False)
