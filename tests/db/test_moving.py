"""The copy of a database of SQLite in PostgreSQL: every table, every value, and the numbers that follow."""

from contextlib import closing

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Float, Integer, func, null, select

from videogen.core.config import AppConfig
from videogen.core.errors import StartError
from videogen.db import moving
from videogen.db.backend import last_id
from videogen.db.database import Database
from videogen.db.migrate import HEAD, migrate, revision
from videogen.services.visitor_limits import RateLimits
from videogen.store import Store

pytestmark = pytest.mark.postgresql
SOURCE, BUCKET = "12345678", "abcdefgh"
ROWS = 3
BIG = 2**40


@pytest.fixture
def target(postgresql):
    """The URL of a database that is being filled."""
    with postgresql.database("template0") as url:
        moving.begin(url, SOURCE, BUCKET, has_files=False)
        yield url


def value(column, number):
    """Another one for each row; of a reference the one of the row with the same number."""
    for reference in column.foreign_keys:
        return value(reference.column, number)
    if column.nullable and number == ROWS:
        return null()
    if isinstance(column.type, JSON):
        return {"a": [number, None, 'é"\\\n\t{}\0']} if number == 1 else None
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if isinstance(column.type, Float):
        return number + 1e-7
    if isinstance(column.type, Integer):
        return number + BIG if isinstance(column.type, BigInteger) else number
    return f"{column.name} {number} é \t\n\\N"


@pytest.fixture
def full(database):
    """A database with some rows in each table."""
    with database.write() as unit:
        for table in moving.copied_tables():
            # Not together: values of one kind each.
            for number in range(1, ROWS + 1):
                row = {column.name: value(column, number) for column in table.columns}
                unit.connection.execute(table.insert().values(row))
    return database


def content(database):
    """Every row of every table, and how many values are NULL: JSON has a null of its own."""
    found = {}
    with database.read() as session:
        for table in moving.copied_tables():
            columns = list(table.columns)
            rows = session.execute(select(table).order_by(table.primary_key.columns.values()[0])).all()
            nulls = [session.scalar(select(func.count()).where(column.is_(None))) for column in columns]
            found[table.name] = [tuple(row) for row in rows], nulls
    return found


def test_every_value_of_every_table_is_the_same(full, target):
    moving.copy_rows(full.path, target)
    counts = moving.count_rows(full.path)
    assert set(counts.values()) == {ROWS}
    moving.require_rows(target, counts)
    with closing(Database(target, 2)) as copy:
        assert content(copy) == content(full)
    with pytest.raises(StartError, match="was not completed: run `videogen migrate --to"):
        migrate(target)
    moving.complete(target)
    assert revision(target) == HEAD


def test_numbers_go_on_above_all_that_were_given(full, target):
    with full.write() as unit:
        unit.connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", (BIG + 70,))
        unit.connection.exec_driver_sql("DELETE FROM audit")
        unit.connection.exec_driver_sql("DELETE FROM restores")
    for _ in range(2):
        moving.copy_rows(full.path, target)
    with closing(Database(target, 2)) as copy, copy.write() as unit:
        assert last_id(unit.connection, "events") == BIG + 70
        assert last_id(unit.connection, "audit") == BIG + ROWS
        assert last_id(unit.connection, "runs") == BIG + ROWS
        assert last_id(unit.connection, "restores") == 0
        query = "SELECT nextval(pg_get_serial_sequence('generations', 'seq'))"
        assert unit.connection.exec_driver_sql(query).scalar() == BIG + ROWS + 1


def test_a_copy_that_fails_leaves_the_target_as_it_was(full, target):
    moving.copy_rows(full.path, target)
    with full.write() as unit:
        unit.connection.exec_driver_sql("DELETE FROM audit")
        unit.connection.exec_driver_sql("UPDATE files SET size_bytes = 'many' WHERE size_bytes = ?", (BIG + 1,))
    with pytest.raises(StartError, match=r"none was: invalid input syntax for type bigint: \"many\"\. Look") as refused:
        moving.copy_rows(full.path, target)
    assert "\n" not in refused.value.detail
    with closing(Database(target, 2)) as copy, copy.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM audit").scalar() == ROWS


@pytest.mark.parametrize(
    ("source", "bucket", "has_files", "words"),
    [
        ("87654321", BUCKET, False, "the incomplete copy of another installation"),
        (SOURCE, "hgfedcba", True, "has files already"),
        (SOURCE, BUCKET, True, None),
        (SOURCE, "hgfedcba", False, None),
    ],
)
def test_an_interrupted_copy_is_gone_on_with_by_its_own_installation_alone(target, source, bucket, has_files, words):
    if words is None:
        moving.begin(target, source, bucket, has_files=has_files)
    else:
        with pytest.raises(StartError, match=words):
            moving.begin(target, source, bucket, has_files=has_files)


def test_what_an_app_writes_that_was_only_started_and_looked_at_is_no_data(postgresql):
    with postgresql.database("template0") as url:
        migrate(url)
        with closing(Database(url, 2)) as database:
            store = Store(database)
            assert store.has_key("digest")
            store.announce("wrk_a", {})
            assert store.hold_task("retention", "ret_a", 60)
            RateLimits(AppConfig(), database).count("sessions", "192.0.2.1")
        moving.begin(url, SOURCE, BUCKET, has_files=False)


def test_a_newer_release_goes_on_with_the_copy_of_an_older_one(postgresql, target):
    with postgresql.database("template0") as older:
        migrate(older, "0023")
        with closing(postgresql.connect(older)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", (f"0023 moving {SOURCE} {BUCKET}",))
        moving.begin(older, SOURCE, BUCKET, has_files=True)
        moving.complete(older)
        assert revision(older) == HEAD
