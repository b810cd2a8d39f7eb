"""A long history: what a search compares, the trash, and an index that answers every filter by itself."""

import logging

import sqlalchemy as sa
from alembic import op

from videogen.core.text import searchable

logger = logging.getLogger(__name__)
revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("trashed_until", sa.Float(), nullable=True))
    op.add_column("generations", sa.Column("search_text", sa.String(), nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        _index_on_postgresql(connection)
        return
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


def _index_on_postgresql(connection: sa.Connection) -> None:
    """The database is new, so that there is no row to fill in."""
    op.drop_index("ix_generations_history", table_name="generations")
    op.create_index("ix_generations_pages", "generations", ["session_id", "seq"])
    condition = sa.text("trashed_until IS NOT NULL")
    op.create_index("ix_generations_trash", "generations", ["trashed_until"], postgresql_where=condition)
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.DBAPIError as problem:
        logger.warning("Without the extension pg_trgm a search reads the whole history of a session: %s", problem.orig)
        return
    trigrams = {"search_text": "gin_trgm_ops"}
    op.create_index(
        "ix_generations_search", "generations", ["search_text"], postgresql_using="gin", postgresql_ops=trigrams
    )
