"""The tables, one connection, migrations; no query of a use case."""
