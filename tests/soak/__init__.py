"""`make soak`: visitors and attackers use one server for an hour; what it needs must not grow."""
