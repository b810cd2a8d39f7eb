import shutil
import socket
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import psutil
import pytest

from tests.support.api import Session, connect
from tests.support.app import environment, run_to_end
from tests.support.folders import read_only_folder
from tests.support.pictures import photo
from videogen.core.config import AppConfig
from videogen.core.lock import holder
from videogen.db.migrate import HEAD
from videogen.media.probe import probe
from videogen.server import serve


def _alter(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


# A failed start prints one line with the reason.


def _line(status, printed):
    assert (status, printed.out) == (2, "")
    (line,) = printed.err.splitlines()
    assert line.startswith("videogen cannot start. ")
    return line


def _refused_process(data_dir, **settings):
    """The line that `python app.py` prints when it cannot start."""
    done = run_to_end(env=environment(data_dir, **settings))
    return _line(done.returncode, SimpleNamespace(out=done.stdout, err=done.stderr))


@pytest.fixture
def refused(capsys):
    """Runs `serve` in this process; returns the line that it prints when it cannot start."""

    def refused(data_dir, **settings):
        config = AppConfig.from_env(environment(data_dir, **settings))
        return _line(serve(config, page=False), capsys.readouterr())

    return refused


def test_a_wrong_setting_is_named_with_the_expected_and_the_given_value(tmp_path):
    line = _refused_process(tmp_path, workers="many")
    assert "VIDEOGEN_WORKERS: expected " in line
    assert "got 'many'" in line


def test_an_unknown_engine_is_named(tmp_path, refused):
    assert "'no_such_engine'" in refused(tmp_path, engines=["no_such_engine"])


def test_an_unknown_default_engine_is_named_with_the_known_ones(tmp_path, refused):
    assert "VIDEOGEN_ENGINE: expected one of bars" in refused(tmp_path, engine="other")


def test_a_file_where_the_data_folder_should_be_is_named(tmp_path, refused):
    (tmp_path / "data").write_bytes(b"")
    line = refused(tmp_path / "data")
    assert "VIDEOGEN_DATA_DIR" in line
    assert str(tmp_path / "data") in line


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path, refused):
    folder = read_only_folder(tmp_path / "locked")
    line = refused(folder)
    assert "VIDEOGEN_DATA_DIR" in line
    assert str(folder) in line


def test_a_database_that_is_newer_than_the_code_is_refused_with_both_revisions(tmp_path, migrated_file, refused):
    path = shutil.copy(migrated_file, tmp_path / "videogen.sqlite")
    _alter(path, "UPDATE alembic_version SET version_num = '9999'")
    line = refused(tmp_path)
    assert "9999" in line
    assert HEAD in line


def test_a_file_that_is_not_a_database_is_named(tmp_path, refused):
    (tmp_path / "videogen.sqlite").write_bytes(b"not a database at all" * 1000)
    assert str(tmp_path / "videogen.sqlite") in refused(tmp_path)


def test_a_database_of_another_application_is_named(tmp_path, refused):
    _alter(tmp_path / "videogen.sqlite", "CREATE TABLE events (name TEXT)")
    assert str(tmp_path / "videogen.sqlite") in refused(tmp_path)


def test_a_refused_start_leaves_the_data_folder_unlocked(tmp_path, refused):
    _alter(tmp_path / "videogen.sqlite", "CREATE TABLE events (name TEXT)")
    refused(tmp_path)
    assert holder(tmp_path) is None


def test_a_port_in_use_is_named_with_the_variable_that_chooses_another(tmp_path, refused):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        line = refused(tmp_path, port=port)
    assert f"Port {port} " in line
    assert "VIDEOGEN_PORT" in line


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["paced"], workers=1)


def test_a_second_server_on_the_same_folder_is_refused(app):
    line = _refused_process(app.data_dir)
    assert str(app.data_dir) in line
    assert "VIDEOGEN_DATA_DIR" in line
    with connect(app.base_url) as http:
        assert http.get("/readyz").status_code == 200


def test_the_database_can_be_migrated_without_a_server(tmp_path):
    env = environment(tmp_path)
    first, second = (run_to_end("-m", "videogen", "migrate", env=env) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"The database is at revision {HEAD}.\n")
    assert (second.returncode, second.stdout) == (0, f"The database is at revision {HEAD} already.\n")


# Renders continue after a kill, a stop or a restart.

LONG = {"durationSeconds": 2, "delay_ms": 50}
FRAMES = 16
SECOND = 8


def _continued(events):
    """Check the events of a render that lost its renderer once."""
    ids = [event.id for event in events]
    assert ids == sorted(set(ids)), "ids rise strictly"
    assert [event.event for event in events if event.terminal] == ["render_result"], "exactly one terminal event"
    assert events[-1].terminal
    assert list(dict.fromkeys(event.data["attempt"] for event in events)) == [0, 1, 2]
    second = [event.data for event in events if event.data["attempt"] == 2 and event.data.get("totalSteps")]
    rendered = [data["step"] for data in second if data["stage"] in ("preparing", "rendering")]
    assert rendered[0] >= SECOND, "it went on after the last whole second"
    for attempt in (1, 2):
        shown = [event.data["progress"] for event in events if event.data["attempt"] == attempt]
        assert shown == sorted(shown)
    return True


def _plays(session, generation, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(session.http.get(generation["videoUrl"]).raise_for_status().content)
    return probe(path).num_frames == FRAMES


def _have_ended(processes):
    return psutil.wait_procs(processes, timeout=10)[1] == []


def test_a_killed_renderer_is_replaced_and_continues_from_its_checkpoint(app, tmp_path):
    with Session(app.base_url) as session:
        made = session.submit("paced", settings=LONG)
        session.wait_rendering(made["id"], SECOND + 2)
        app.renderer(made["id"]).kill()
        ended = session.finish(made["id"])
        assert (ended["status"], ended["attempt"]) == ("completed", 2)
        assert _continued(session.follow(made["id"], 0))
        assert _plays(session, ended, tmp_path)


def test_a_stop_ends_open_streams_and_renders_and_the_next_start_continues(running_app, tmp_path):
    app = running_app(engines=["paced"], workers=2)
    with Session(app.base_url) as session:
        made = session.submit_all("paced", settings=LONG | {"seed": 1}, variations=2)["generations"]
        with session.stream("/events", 0) as first, session.stream(f"/generations/{made[0]['id']}/events") as second:
            first.until(lambda event: event.data.get("step", 0) >= SECOND + 2)
            next(second)
            children = app.children()
            assert len(children) >= 2
            assert app.stop() in (0, -15), "it ends though streams are open"
            list(first), list(second)  # ended by the server, between two events
        assert _have_ended(children)
        assert "Traceback" not in app.log
        app.restart()
        for generation in made:
            assert session.finish(generation["id"])["status"] == "completed"
        assert _plays(session, session.read(made[0]["id"]), tmp_path)


def test_killing_the_server_ends_its_renderers_and_the_next_start_continues(running_app, tmp_path):
    app = running_app(engines=["paced"], workers=1)
    with Session(app.base_url) as session:
        made, waiting = session.submit("paced", settings=LONG), session.submit("paced")
        last = session.wait_rendering(made["id"], SECOND + 2).id
        children = app.children()
        app.kill()
        assert _have_ended(children)
        app.restart()
        rest = session.follow(made["id"], last)
        assert rest[0].id > last
        assert session.finish(waiting["id"])["status"] == "completed"
        everything = session.follow(made["id"], 0)
        assert _continued(everything)
        assert rest == [event for event in everything if event.id > last]
        assert _plays(session, session.read(made["id"]), tmp_path)
    assert app.log.count("Ready on ") == 2
    assert "Traceback" not in app.log


def test_a_video_from_an_image_has_the_same_bytes_after_a_kill_and_a_restart(running_app):
    app = running_app(engines=["procedural"])
    request = {
        "prompt": "slow orbit, rain at dusk",
        "settings": {"width": 320, "height": 180, "durationSeconds": 6, "fps": 12, "seed": 7},
    }
    with Session(app.base_url) as session:
        file = session.upload(photo())
        request["inputFileId"] = file["id"]
        made = session.post("/generations", json=request).json()["generations"][0]
        session.wait_rendering(made["id"], step=14)
        app.kill()
        part = app.data_dir / "files" / "uploads" / "fil_cut.png.part"
        part.write_bytes(b"an upload that the kill cut short")
        app.restart()
        ended = session.finish(made["id"])
        assert (ended["status"], ended["attempt"]) == ("completed", 2), ended
        uninterrupted = session.finish(session.post("/generations", json=request).json()["generations"][0]["id"])
        videos = [session.http.get(item["videoUrl"]).raise_for_status().content for item in (ended, uninterrupted)]
        assert videos[0] == videos[1]
        assert session.get(f"/files/{file['id']}").json()["width"] == 48
    app.stop()  # it waits for the cleanup thread
    assert not part.exists()
