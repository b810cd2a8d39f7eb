"""The use cases: the only thing that the edges call."""
