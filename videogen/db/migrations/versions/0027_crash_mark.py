"""On PostgreSQL: the table that a crash of the server empties; see `db.postgresql_crash`."""

from alembic import op

revision = "0027"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE UNLOGGED TABLE crash_mark (is_there boolean NOT NULL)")
        op.execute("INSERT INTO crash_mark VALUES (true)")
