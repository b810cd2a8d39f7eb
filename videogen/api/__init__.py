"""The HTTP edge: `/api/v1`, media, health. Routes are thin; the service does the work."""
