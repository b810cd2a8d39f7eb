"""Who renders next, and what becomes of it."""
