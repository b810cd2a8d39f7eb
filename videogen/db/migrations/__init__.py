"""The database's history: Alembic migrations from the first table on."""
