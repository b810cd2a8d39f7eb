"""Moves an embedded installation, which is stopped, to PostgreSQL and a bucket: `videogen migrate --to --storage`."""

# First: it says what to install where the driver is missing.
from videogen.db import postgresql as postgresql
