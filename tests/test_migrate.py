import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import videogen.models  # noqa: F401  (fills the metadata)
from videogen.config import AppConfig
from videogen.errors import DatabaseTooNew, StartError
from videogen.migrate import HEAD, REVISIONS, migrate, revision


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


def test_a_fresh_database_is_brought_to_head(path, url):
    assert revision(url) is None
    assert migrate(url) is True
    assert revision(url) == HEAD
    assert _tables(path) >= {"sessions", "projects", "generations", "events", "files"}


def test_a_database_at_head_is_left_alone(path, url):
    migrate(url)
    before = path.read_bytes()
    assert migrate(url) is False
    assert path.read_bytes() == before


def test_a_newer_database_is_refused_with_what_it_has_what_we_know_and_what_to_do(path, url):
    migrate(url)
    _run(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew) as caught:
        migrate(url)
    told = str(caught.value)
    assert "revision 9999" in told
    assert HEAD in told
    assert "VIDEOGEN_DATA_DIR" in told
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_with_its_name_and_left_alone(path, url):
    content = b"this is no database, but it is long enough to be one" * 100
    path.write_bytes(content)
    with pytest.raises(StartError, match=r"The database .*videogen\.sqlite cannot be used: .+"):
        migrate(url)
    assert path.read_bytes() == content


def test_a_database_in_no_folder_is_refused_with_its_name(tmp_path):
    with pytest.raises(StartError, match=r"missing/videogen\.sqlite cannot be used"):
        migrate(f"sqlite:///{tmp_path / 'missing' / 'videogen.sqlite'}")


def test_a_migration_that_fails_is_a_start_error_and_leaves_nothing(path, url):
    _run(path, "CREATE TABLE files (mine INTEGER)")  # the last table that the migration makes
    with pytest.raises(StartError, match=r"videogen\.sqlite"):
        migrate(url)
    assert _tables(path) == {"files"}
    assert revision(url) is None


@pytest.mark.parametrize("name", ["with space", "ümlaut", "per%20cent", "number#sign", "question?mark"])
def test_the_name_of_the_data_folder_may_be_anything(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    url = AppConfig(data_dir=folder).database
    assert migrate(url) is True
    assert migrate(url) is False
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert revision(url) == HEAD


def test_head_is_that_of_the_migration_files():
    config = Config()
    config.set_main_option("script_location", "videogen:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)


def test_the_migrations_make_the_tables_of_the_models(url):
    migrate(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        difference = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    assert difference == [], "change a model, and a new file in videogen/migrations/versions must follow"
