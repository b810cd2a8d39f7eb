"""Alembic's environment: it uses the connection that `videogen.db.migrate` passes."""

from alembic import context
from sqlmodel import SQLModel

import videogen.db.account_tables
import videogen.db.tables  # noqa: F401  (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
