"""A long history: what a search compares, the trash, and an index that answers every filter by itself."""

import sqlalchemy as sa
from alembic import op

from videogen.core.text import searchable

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("trashed_until", sa.Float(), nullable=True))
    op.add_column("generations", sa.Column("search_text", sa.String(), nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    # The driver's own connection: only SQLite can call back for each row, and a long history is not read in here.
    connection.connection.create_function("videogen_searchable", 2, searchable, deterministic=True)
    connection.exec_driver_sql("UPDATE generations SET search_text = videogen_searchable(title, prompt)")
    op.drop_index("ix_generations_history", table_name="generations")
    op.create_index(
        "ix_generations_history",
        "generations",
        ["session_id", "seq", "trashed_until", "status", "type", "engine", "favorite", "search_text"],
        unique=False,
    )
    op.create_index(
        "ix_generations_trash",
        "generations",
        ["trashed_until"],
        unique=False,
        sqlite_where=sa.text("trashed_until IS NOT NULL"),
    )
