"""Accounts, and sessions that belong to one."""

import sqlalchemy as sa
from alembic import op

from videogen.db.columns import big

revision = "0014"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("organisations", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_accounts_subject", "accounts", ["issuer", "subject"], unique=True)
    _add_links_and_merges()
    op.add_column("sessions", sa.Column("account_id", sa.String(), nullable=True))
    op.create_index("ux_sessions_account", "sessions", ["account_id"], unique=True)
    op.add_column("devices", sa.Column("since_event", big(), server_default=sa.text("0"), nullable=False))
    # Two sessions that become one may have the same image. Both stay: what names one of them still finds it.
    op.drop_index("ux_uploads_digest", "uploads")
    op.create_index("ix_uploads_digest", "uploads", ["session_id", "digest"], unique=False)


def _add_links_and_merges() -> None:
    op.create_table(
        "merges",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["into_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_merges_into_id", "merges", ["into_id"], unique=False)
    op.create_table(
        "login_links",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_login_links_device_id", "login_links", ["device_id"], unique=False)
