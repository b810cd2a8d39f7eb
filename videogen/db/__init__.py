"""Tables, migrations and the connection; no query of a use case."""
