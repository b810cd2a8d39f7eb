"""Who renders next."""
