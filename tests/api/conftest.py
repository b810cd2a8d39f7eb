"""One real server for all API tests. Each test has its own session."""

import os
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from tests.support.api import Session, connect
from tests.support.app import App
from tests.support.s3_server import BUCKET, ENVIRONMENT, S3Server

ENGINES = ("bars", "slow", "until-cancelled", "ignores-cancel", "refuses", "dies", "steady", "looks", "procedural")
ENGINES += ("other-format", "lost-service")
MAX_ACTIVE = 10
SECRET = "a key of the tests"
MAX_UPLOAD_MB = 1
PROFILE = os.environ.get("VIDEOGEN_TEST_PROFILE", "")
"""`distributed` in a part of `make test-long`: all of these tests on PostgreSQL and a bucket."""


def pytest_generate_tests(metafunc):
    marker = metafunc.definition.get_closest_marker("databases")
    if marker is not None and "app" in metafunc.fixturenames:
        marks = {"postgresql": pytest.mark.postgresql}
        kinds = [pytest.param(kind, marks=marks.get(kind, [])) for kind in marker.args]
        metafunc.parametrize("app", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def app(tmp_path_factory, request):
    """On SQLite and the disk; or on PostgreSQL and a bucket, if `@pytest.mark.databases` or `PROFILE` says so."""
    settings = {"workers": 2, "max_active_per_session": MAX_ACTIVE, "max_seconds": 10, "max_upload_mb": MAX_UPLOAD_MB}
    bucket = None
    with ExitStack() as stack:
        if getattr(request, "param", "sqlite") == "postgresql" or PROFILE == "distributed":
            bucket = stack.enter_context(S3Server())
            settings |= {
                "database_url": stack.enter_context(request.getfixturevalue("postgresql").database()),
                "storage_url": f"s3://{BUCKET}/api?endpoint={bucket.url}",
                "secret_key": SECRET,
            }
        app = App(tmp_path_factory.mktemp("api"), ENGINES, **settings)
        app.variables = ENVIRONMENT
        app.bucket = bucket
        yield stack.enter_context(app)


def pytest_collection_modifyitems(items):
    if PROFILE == "distributed":
        for item in items:
            if item.get_closest_marker("on_disk"):
                item.add_marker(pytest.mark.skip(reason="it looks for files or rows past the app"))


@pytest.fixture
def stored(app):
    """The keys of the stored files of a generation."""

    def stored(generation_id):
        if app.bucket is None:
            return [path.name for path in (app.data_dir / "files" / generation_id).glob("*")]
        return app.bucket.keys(f"api/{generation_id}/")

    return stored


@pytest.fixture
def session_of(app):
    """Makes sessions; cancels their unfinished generations at the end."""
    made = []

    def make():
        made.append(Session(app.base_url))
        return made[-1]

    yield make
    for session in made:
        for item in session.get("/generations", params={"status": "queued,processing"}).json()["items"]:
            session.cancel(item["id"])
        session.close()


@pytest.fixture
def session(session_of):
    return session_of()


@pytest.fixture
def http(app):
    """An HTTP client without a session."""
    with connect(app.base_url) as client:
        yield client


@pytest.fixture(scope="session")
def finished(app):
    """A completed generation that tests only read: its session, its fields and all its events."""
    with Session(app.base_url) as session:
        made = session.submit("slow", prompt="blue bars, slowly", settings={"seed": 7, "delay_ms": 30})
        session.follow(made["id"])
        generation = session.read(made["id"])
        assert generation["status"] == "completed", generation
        yield SimpleNamespace(session=session, generation=generation, events=session.follow(made["id"], 0))
