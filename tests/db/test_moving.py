"""The copy of a database of SQLite in PostgreSQL: every table, every value, and the numbers that follow."""

from contextlib import closing

import pytest
from sqlalchemy import JSON, Boolean, Float, Integer, select

from videogen.core.errors import StartError
from videogen.db import moving
from videogen.db.backend import last_id
from videogen.db.database import Database
from videogen.db.migrate import migrate

pytestmark = pytest.mark.postgresql
SOURCE, BUCKET = "12345678", "abcdefgh"
BIG = 2**40


@pytest.fixture
def target(postgresql):
    """A database that is being filled."""
    with postgresql.database("template0") as url:
        moving.begin(url, SOURCE, BUCKET, has_files=False)
        yield url


def value_of(column, number):
    """A value that fits, another one for each number."""
    kind = column.type
    if isinstance(kind, JSON):
        return [{"a": [number, None, 'é"\\\n\t{}']}, None, []][number % 3]
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Float):
        return number + 0.1
    if isinstance(kind, Integer):
        is_big = kind.dialect_impl(_POSTGRESQL).__class__.__name__.lower().startswith("big") or str(kind) == "BIGINT"
        return BIG + number if is_big else number
    return f"{column.name} {number} \t\n\\N é" if not column.foreign_keys else None


class _Dialect:
    name = "postgresql"


_POSTGRESQL = _Dialect()
