"""A server whose state is in PostgreSQL: refused starts, a kill, and a database server that is away."""

import time

import pytest

from tests.support.api import Session, connect
from tests.support.app import environment
from videogen.core.config import AppConfig
from videogen.server import serve

KEY = "a key of the tests"
SHORT = {"delay_ms": 30, "durationSeconds": 3}


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "VIDEOGEN_SECRET_KEY: expected one key for all processes"),
        ({"secret_key": KEY, "snapshot_url": "/somewhere"}, "VIDEOGEN_SNAPSHOT_URL: expected nothing"),
        ({"secret_key": KEY, "workers": 0}, "which need a bucket in common with this one: set VIDEOGEN_STORAGE_URL"),
        ({"secret_key": KEY}, "PostgreSQL database 127.0.0.1:1/none cannot be used"),
    ],
)
def test_a_start_that_is_refused_prints_one_line_without_the_password(tmp_path, capsys, settings, named):
    settings = {"database_url": "postgresql://me:mypassword@127.0.0.1:1/none", **settings}
    try:
        status = serve(AppConfig.from_env(environment(tmp_path, **settings)), page=False)
        line = capsys.readouterr().err
        assert status == 2
        assert len(line.splitlines()) == 1
    except Exception as problem:  # a wrong setting
        line = str(problem)
    assert named in line
    assert "mypassword" not in line


@pytest.fixture
def url(postgresql):
    with postgresql.database() as url:
        yield url


@pytest.mark.postgresql
def test_a_server_that_is_killed_goes_on_where_it_was(url, running_app):
    app = running_app(engines=["paced"], workers=1, lease_seconds=3, database_url=url, secret_key=KEY)
    with Session(app.base_url) as session:
        made, waiting = session.submit("paced", settings=SHORT), session.submit("paced")
        last = session.wait_rendering(made["id"], 10).id
        app.kill()
        app.restart()
        rest = session.follow(made["id"], last)
        everything = session.follow(made["id"], 0)
        assert rest == [event for event in everything if event.id > last]
        assert everything[-1].event == "render_result"
        assert session.read(made["id"])["attempt"] == 2
        assert session.finish(waiting["id"])["status"] == "completed"
    assert not (app.data_dir / "videogen.sqlite").exists()
    assert "Traceback" not in app.log


@pytest.mark.postgresql
def test_a_database_that_is_away_for_a_while_loses_nothing(url, running_app, postgresql):
    app = running_app(engines=["paced"], workers=1, lease_seconds=3, database_url=url, secret_key=KEY)
    name = url.partition("@/")[2].partition("?")[0]
    with Session(app.base_url) as session, connect(app.base_url) as http, postgresql.connect() as server:
        made = session.submit("paced", settings=SHORT)
        session.wait_rendering(made["id"], 10)
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
        for answer in (session.get("/generations"), session.try_submit("paced")):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
            assert answer.headers["Retry-After"] == "2"
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        seen = []
        # The stream ends when the server may have missed something, and goes on after its last id.
        while not seen or seen[-1].event == "render_progress":
            seen += session.follow(made["id"], seen[-1].id if seen else 0)
        assert seen[-1].event == "render_result"
        assert seen == session.follow(made["id"], 0)
        deadline = time.monotonic() + 60
        while http.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
    assert "Traceback" not in app.log
