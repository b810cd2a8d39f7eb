"""On PostgreSQL: the tables of procrastinate, whose jobs are the permissions to start a generation."""

from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Where something is queued already, the workers add the permissions for it."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        # Imported here: only an installation with PostgreSQL has it.
        from procrastinate.schema import SchemaManager

        bind.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
