"""Fixtures for all tests: a migrated database file per test, and real servers in processes of their own."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.app import App
from tests.support.queues import make_queue
from tests.support.rows import Clock, Submitter
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Store

# Before any test imports it directly: pytest cannot rewrite the assertions of a module that is loaded already.
pytest.register_assert_rewrite("videogen.testing.conformance")

SQLITE = "sqlite"
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 * 2**30


def pytest_configure(config):
    # Servers keep idle renderers ready for a person who waits; here most of them would never be used.
    os.environ.setdefault("VIDEOGEN_TEST_SPARES", "0")
    # Every test makes data folders, and every write to them waits for the disk: in memory the suite takes a sixth less.
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    # A worker of pytest-xdist ends with the process that started it, also when that was killed.
    if hasattr(config, "workerinput"):
        processes.end_with_parent()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A database file at HEAD; copy it, never open it."""
    path = tmp_path_factory.mktemp("migrated") / "videogen.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """The PostgreSQL server of this run."""
    # Imported here: all other tests run without the driver.
    from tests.support.postgresql import server_of_run

    folder = tmp_path_factory.getbasetemp()
    return server_of_run(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def _postgresql_url(postgresql):
    with postgresql.database() as url:
        yield url


@pytest.fixture
def postgresql_url(_postgresql_url):
    """The URL of an empty, migrated database of PostgreSQL."""
    from tests.support.postgresql import empty

    empty(_postgresql_url)
    return _postgresql_url


@pytest.fixture
def database_url(request, tmp_path):
    """The URL of an empty, migrated database: of SQLite, or of each kind in `@pytest.mark.databases`."""
    if getattr(request, "param", SQLITE) != SQLITE:
        return request.getfixturevalue("postgresql_url")
    path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "videogen.sqlite")
    return f"sqlite:///{path}"


def pytest_generate_tests(metafunc):
    marker = metafunc.definition.get_closest_marker("databases")
    if marker is not None and "database_url" in metafunc.fixturenames:
        kinds = [pytest.param(kind, marks=[] if kind == SQLITE else pytest.mark.postgresql) for kind in marker.args]
        metafunc.parametrize("database_url", kinds, indirect=True)


@pytest.fixture
def database(database_url):
    """An empty database of its own."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def clock():
    """The time, which moves only when told: `clock.now += 5`."""
    return Clock()


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


@pytest.fixture
def queue(store, clock):
    """The queue for the kind of database. Leases hold ten seconds; a third lost renderer is the last."""
    return make_queue(store, clock)


@pytest.fixture
def data_folder(tmp_path):
    """An empty data folder."""
    data_folder = DataFolder(tmp_path / "data")
    data_folder.open()
    return data_folder


@pytest.fixture
def storage(data_folder):
    return DiskStorage(data_folder.files)


@pytest.fixture
def alice(store):
    """The id of a session."""
    return store.create_session()[0]


@pytest.fixture
def bob(store):
    """The id of another session."""
    return store.create_session()[0]


@pytest.fixture
def submit(store):
    """Stores generations: `submit(alice)` gives one row, `submit.project(alice, 3)` all rows of one submit."""
    return Submitter(store)


@pytest.fixture
def running_app(tmp_path):
    """Starts servers: `running_app(engines=["bars"], workers=2)`; see `tests.support.app.App`. Each is reaped.

    Without `page=True` there is no page at `/`, which takes most of a start.
    """
    with ExitStack() as servers:

        def start(data_dir=None, page=False, **settings):
            return servers.enter_context(App(data_dir or tmp_path / "data", page=page, **settings))

        yield start


@pytest.fixture(scope="module")
def module_app(tmp_path_factory):
    """The same, for a server that the tests of one module share; isolation is by session."""
    with ExitStack() as servers:

        def start(data_dir=None, page=False, **settings):
            return servers.enter_context(App(data_dir or tmp_path_factory.mktemp("data"), page=page, **settings))

        yield start
