"""The routes of `/api/v1`, media and health. They only call the services."""
