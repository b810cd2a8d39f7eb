"""The process that an engine runs in: protocol, child, host, spawn and pool."""
