"""Every token of a session is a device, the first one too: with an id, a name, and when it was last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:  # the database is new: there is no row to keep
        op.drop_table("devices")
        op.drop_column("sessions", "token_hash")
    else:
        op.rename_table("devices", "old_devices")
        op.drop_index("ix_devices_session_id", "old_devices")
    op.create_table(
        "devices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_devices_session_id", "devices", ["session_id"], unique=False)
    if not is_postgresql:
        _keep_rows()


def _keep_rows() -> None:
    op.execute(_COPY.format(session_id="id", table="sessions"))
    op.execute(_COPY.format(session_id="session_id", table="old_devices"))
    op.drop_table("old_devices")
    # SQLite drops no column that is unique: the table is made again. References to it are by its name.
    op.create_table(
        "new_sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_served_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO new_sessions SELECT id, created_at, last_served_at FROM sessions")
    op.drop_table("sessions")
    op.rename_table("new_sessions", "sessions")


# When a token was last used is not known: whoever has one gets a day from now on to use it.
_COPY = """
INSERT INTO devices (id, session_id, token_hash, name, created_at, last_seen_at)
SELECT 'dev_' || lower(hex(randomblob(15))), {session_id}, token_hash, '', created_at, strftime('%s', 'now') + 0.0
FROM {table}
"""
