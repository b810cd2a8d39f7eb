import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import videogen.db.tables  # noqa: F401  (fills the metadata)
from videogen.core.config import AppConfig
from videogen.core.errors import DatabaseTooNewError, StartError
from videogen.db.migrate import HEAD, REVISIONS, migrate, revision


@pytest.fixture
def path(tmp_path):
    return tmp_path / "videogen.sqlite"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


def _tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _run(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_new_database_is_migrated_to_head(path, url):
    assert revision(url) is None
    assert migrate(url) is True
    assert revision(url) == HEAD
    assert _tables(path) >= {"sessions", "projects", "generations", "events", "files", "uploads"}


def test_a_database_at_head_is_not_changed(path, url):
    migrate(url)
    before = path.read_bytes()
    assert migrate(url) is False
    assert path.read_bytes() == before


def test_a_newer_database_is_refused_with_both_revisions_and_what_to_do(path, url):
    migrate(url)
    _run(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNewError) as caught:
        migrate(url)
    message = str(caught.value)
    assert "revision 9999" in message
    assert HEAD in message
    assert "VIDEOGEN_DATA_DIR" in message
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_with_its_name_and_not_changed(path, url):
    content = b"this is no database, but it is long enough to be one" * 100
    path.write_bytes(content)
    with pytest.raises(StartError, match=r"The database .*videogen\.sqlite cannot be used: .+"):
        migrate(url)
    assert path.read_bytes() == content


def test_a_database_in_a_missing_folder_is_refused_with_its_name(tmp_path):
    with pytest.raises(StartError, match=r"missing/videogen\.sqlite cannot be used"):
        migrate(f"sqlite:///{tmp_path / 'missing' / 'videogen.sqlite'}")


def test_a_failed_migration_is_a_start_error_and_changes_nothing(path, url):
    _run(path, "CREATE TABLE files (mine INTEGER)")  # the last table that the migration makes
    with pytest.raises(StartError, match=r"videogen\.sqlite"):
        migrate(url)
    assert _tables(path) == {"files"}
    assert revision(url) is None


@pytest.mark.parametrize("name", ["with space", "ümlaut", "per%20cent", "number#sign", "question?mark"])
def test_the_data_folder_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    url = AppConfig(data_dir=folder).database
    assert migrate(url) is True
    assert migrate(url) is False
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert revision(url) == HEAD


def test_head_is_the_newest_migration_file():
    config = Config()
    config.set_main_option("script_location", "videogen.db:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)


@pytest.mark.databases("sqlite", "postgresql")
def test_the_migrations_create_the_tables_of_the_models(database_url):
    engine = postgresql_engine(database_url) if database_url.startswith("postgresql") else create_engine(database_url)
    with engine.connect() as connection:
        # Alembic does not know by itself that an index is for one kind of database.
        options = {
            "compare_server_default": True,
            "include_object": lambda item, *_: applies(item, connection.dialect.name),
        }
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)
    engine.dispose()
    assert difference == [], "change a model, and a new file in videogen/db/migrations/versions must follow"


def applies(item, dialect):
    if getattr(item, "table", item).name.startswith(("procrastinate_", "crash_mark")):
        return False  # no models: the tables of the queue (`0023_permissions.py`), and the mark of `0027_crash_mark.py`
    condition = getattr(item, "_ddl_if", None)
    return condition is None or condition.dialect == dialect


def postgresql_engine(url):
    from videogen.db.postgresql import connect, driver_url

    return connect(driver_url(url), 1)


@pytest.mark.postgresql
def test_a_new_database_of_postgresql_is_migrated_once_by_whoever_comes_first(postgresql):
    with postgresql.database("template0") as url:
        assert revision(url) is None
        with ThreadPoolExecutor(3) as starts:
            migrated = list(starts.map(migrate, [url] * 3))
        assert sorted(migrated) == [False, False, True]
        assert revision(url) == HEAD
        with postgresql.connect(url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(DatabaseTooNewError, match=f"revision 9999, this videogen knows up to {HEAD}"):
            migrate(url)


@pytest.mark.postgresql
def test_a_migration_that_fails_leaves_postgresql_as_it_was(postgresql):
    with postgresql.database("template0") as url:
        with postgresql.connect(url) as connection:
            connection.execute("CREATE TABLE files (mine INTEGER)")  # the last table of the first migration
        with pytest.raises(StartError, match="cannot be used"):
            migrate(url)
        with postgresql.connect(url) as connection:
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            assert connection.execute(tables).fetchall() == [("files",)]


@pytest.mark.postgresql
def test_a_server_that_cannot_be_reached_is_one_line_without_the_password(tmp_path):
    with pytest.raises(
        StartError, match=r"PostgreSQL database 127.0.0.1:1/there cannot be used: .+ server runs"
    ) as caught:
        migrate("postgresql://me:mypassword@127.0.0.1:1/there")
    assert "\n" not in caught.value.detail
    assert "mypassword" not in caught.value.detail


@pytest.mark.postgresql
def test_a_server_that_is_too_old_is_one_line():
    from videogen.db.postgresql import require_server

    old = SimpleNamespace(dialect=SimpleNamespace(server_version_info=(14, 9)))
    with pytest.raises(StartError, match="PostgreSQL 14; videogen needs 15 or newer"):
        require_server(old)


def test_without_the_driver_the_line_names_the_package():
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from videogen.db.database import Database\n"
        "from videogen.core.errors import StartError\n"
        "try: Database('postgresql://there/database')\n"
        "except StartError as problem: print(problem.detail)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'videogen[distributed]'" in done.stdout


def test_the_embedded_profile_imports_nothing_of_the_distributed_one():
    code = (
        "import sys; from videogen.server import app; from videogen.db.database import Database\n"
        "Database('sqlite:///:memory:').close()\n"
        "sys.exit(any(name.partition('.')[0] in ('psycopg', 'procrastinate', 'obstore') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def _upgrade_to(url, target):
    """Bring a database to a revision that is not the newest."""
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", "videogen.db:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, target)
        connection.commit()
    engine.dispose()


def _insert(connection, table, **values):
    """A row, with something in every column that must not be empty."""
    filler = {"VARCHAR": "text", "JSON": "{}", "FLOAT": 1.5, "BOOLEAN": 0}
    for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if required and name not in values and not (key and kind == "INTEGER"):
            values[name] = filler.get(kind, 1)
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))


def _first_release(url, path):
    """A database as 0001 made it, with a session's work in it; its newest generation was deleted."""
    _upgrade_to(url, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        _insert(connection, "sessions", id="ses")
        _insert(connection, "projects", id="prj", session_id="ses", idempotency_key="key")
        for name in ("one", "two", "deleted"):
            _insert(connection, "generations", id=name, session_id="ses", project_id="prj", prompt=f"{name} ü")
        _insert(connection, "files", id="fil", session_id="ses", generation_id="one")
        _insert(connection, "events", session_id="ses", project_id="prj", generation_id="one")
        connection.execute("DELETE FROM generations WHERE id = 'deleted'")


def _content(path, tables):
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables}


def test_a_database_of_revision_1_keeps_every_row_and_gets_uploads(path, url):
    _first_release(url, path)
    before = _content(path, ("sessions", "projects", "generations", "files", "events"))
    assert migrate(url) is True
    for row in before["generations"]:
        row.update(dict.fromkeys(("input_file_id", "rank", "expected_wait_seconds", "trashed_until", "address_hash")))
        row.update({"has_audio": 0, "cost": None, "attention": None, "last_frame_file_id": None, "flagged": None})
        row["extends"] = None
        row.pop("expires_at")
        row["kept_from"] = row["used_at"] = row["finished_at"]
        row["search_text"] = f"{row['title']}\n{row['id']} u"
    tokens = {row["id"]: row.pop("token_hash") for row in before["sessions"]}
    for row in before["sessions"]:
        row.update({"queue_paused": 0, "account_id": None})
    assert _content(path, before) == before
    devices = _content(path, ["devices"])["devices"]
    assert {row["session_id"]: row["token_hash"] for row in devices} == tokens
    assert all(row["last_seen_at"] > 1.7e9 and row["id"].startswith("dev_") for row in devices)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys=ON")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for name in ("up", "last"):
            _insert(connection, "uploads", id=name, session_id="ses", digest=name)
        images = {"input_file_id": "up", "last_frame_file_id": "last"}
        _insert(connection, "generations", id="new", session_id="ses", project_id="prj", **images)
        # A number is never given twice, though the generation that had the highest one is gone.
        assert connection.execute("SELECT seq FROM generations WHERE id = 'new'").fetchone() == (4,)
        for name in ("up", "last"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute("DELETE FROM uploads WHERE id = ?", (name,))
        connection.execute("DELETE FROM sessions")
        assert connection.execute("SELECT count(*) FROM uploads").fetchone() == (0,)


def test_a_failed_second_migration_leaves_revision_1_unchanged(path, url):
    _first_release(url, path)
    _run(path, "CREATE INDEX ix_generations_input_file_id ON generations (id)")  # the last thing that it makes
    before = _content(path, ("generations",))
    with pytest.raises(StartError):
        migrate(url)
    assert revision(url) == "0001"
    assert "uploads" not in _tables(path)
    assert _content(path, ("generations",)) == before
