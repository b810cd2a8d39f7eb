"""One real server for all API tests. Each test has its own session."""

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from tests.support.api import Session, connect
from tests.support.app import App

ENGINES = ("bars", "slow", "until-cancelled", "ignores-cancel", "refuses", "dies", "steady", "looks", "procedural")
ENGINES += ("other-format", "lost-service")
MAX_ACTIVE = 10
SECRET = "a key of the tests"
MAX_UPLOAD_MB = 1


def pytest_generate_tests(metafunc):
    marker = metafunc.definition.get_closest_marker("databases")
    if marker is not None and "app" in metafunc.fixturenames:
        marks = {"postgresql": pytest.mark.postgresql}
        kinds = [pytest.param(kind, marks=marks.get(kind, [])) for kind in marker.args]
        metafunc.parametrize("app", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def app(tmp_path_factory, request):
    """On SQLite, or on each kind in `@pytest.mark.databases`."""
    settings = {"workers": 2, "max_active_per_session": MAX_ACTIVE, "max_seconds": 10, "max_upload_mb": MAX_UPLOAD_MB}
    with ExitStack() as stack:
        if getattr(request, "param", "sqlite") == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgresql").database())
            settings |= {"database_url": url, "secret_key": SECRET}
        yield stack.enter_context(App(tmp_path_factory.mktemp("api"), ENGINES, **settings))


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
