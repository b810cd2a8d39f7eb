import os
import shutil
import sqlite3
import time
from contextlib import closing

import pytest
from sqlmodel import select

from tests.support.api import Session, connect
from tests.support.app import environment, run_to_end
from tests.support.damage import damage_table, leaves, overwrite
from videogen.core.errors import DatabaseDamagedError, StartError
from videogen.core.security import token_hash
from videogen.db.database import Database
from videogen.db.integrity import check, is_wal_cut, require_sound, wal_of
from videogen.db.tables import SessionRow
from videogen.jobs.cleanup import look_for_damage
from videogen.store import Store


@pytest.fixture
def path(tmp_path, migrated_file):
    """A database of 2,000 sessions, closed."""
    path = shutil.copy(migrated_file, tmp_path / "videogen.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = ((f"ses_{number} {'x' * 20}",) for number in range(2000))
        connection.executemany("INSERT INTO sessions (id, created_at, last_served_at) VALUES (?, 0, 0)", rows)
    return path


@pytest.fixture
def torn(path):
    """The same as a crash left it: with a write-ahead log that holds one more session."""
    copy = path.with_name("torn.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO sessions (id, created_at, last_served_at) VALUES ('ses_last', 0, 0)")
        for source in (path, wal_of(path)):
            shutil.copy(source, source.with_name(source.name.replace("videogen", "torn")))
    return copy


def _count(path):
    database = Database(f"sqlite:///{path}")
    try:
        with database.read() as session:
            return session.connection().exec_driver_sql("SELECT count(*) FROM sessions").scalar()
    finally:
        database.close()


def test_an_intact_database_passes_and_the_check_changes_nothing(path):
    before = path.read_bytes()
    assert check(path).faults == ()
    assert require_sound(path, has_files=True) is True
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name], "no file that another user could not open"


def test_a_damaged_page_stops_a_start_and_names_the_doctor(path):
    damage_table(path, "sessions")
    with pytest.raises(StartError, match=r"is damaged: .+ `videogen doctor --fix`"):
        require_sound(path, has_files=True)


@pytest.mark.parametrize("left", [100, 4096, -4096])
def test_a_truncated_database_stops_a_start(path, left):
    os.truncate(path, left if left > 0 else path.stat().st_size + left)
    with pytest.raises(StartError, match="is damaged"):
        require_sound(path, has_files=False)


def test_a_file_that_is_no_database_stops_a_start_with_its_own_message(path):
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StartError, match=r"cannot be used: file is not a database.*Restore a backup"):
        require_sound(path, has_files=False)


def test_an_empty_database_stops_a_start_only_if_there_are_files_of_generations(path):
    path.write_bytes(b"")
    with pytest.raises(StartError, match="is empty"):
        require_sound(path, has_files=True)
    assert require_sound(path, has_files=False) is True
    path.unlink()
    assert require_sound(path, has_files=True) is True, "whoever moved it away wants to start afresh"


def test_the_check_at_a_start_has_a_time_limit_and_is_completed_later(path):
    damage_table(path, "sessions")
    assert require_sound(path, has_files=True, seconds=-1) is False
    database = Database(f"sqlite:///{path}")
    store = Store(database)
    store.ping()
    look_for_damage(database)
    with pytest.raises(DatabaseDamagedError, match="videogen doctor"):
        store.ping()
    database.close()


def test_damage_that_is_found_later_is_remembered(path):
    damage_table(path, "sessions", pages=3)
    database = Database(f"sqlite:///{path}")
    store = Store(database)
    store.ping()
    with pytest.raises(DatabaseDamagedError), database.read() as session:
        session.exec(select(SessionRow)).all()
    with pytest.raises(DatabaseDamagedError, match="is damaged"):
        store.ping()
    database.close()


def test_the_check_includes_the_write_ahead_log(torn):
    assert check(torn).faults == ()
    assert not is_wal_cut(torn)
    assert _count(torn) == 2001


def test_a_truncated_write_ahead_log_loses_only_its_incomplete_frame(torn):
    os.truncate(wal_of(torn), wal_of(torn).stat().st_size - 10)
    assert is_wal_cut(torn)
    assert require_sound(torn, has_files=True) is True
    assert _count(torn) == 2000
    assert check(torn).faults == ()


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_stale_companion_file_does_no_harm(path, ending):
    path.with_name(path.name + ending).write_bytes(b"left over from something else" * 2000)
    assert require_sound(path, has_files=True) is True
    assert _count(path) == 2000


def test_a_server_refuses_to_start_on_a_damaged_database_with_one_line(tmp_path, path):
    damage_table(path, "sessions")
    done = run_to_end(env=environment(tmp_path))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"videogen cannot start. The database {path} is damaged")
    assert "videogen doctor --fix" in line


def test_a_page_that_is_damaged_while_the_server_runs_is_reported_and_affects_nothing_else(
    running_app, tmp_path, migrated_file
):
    (tmp_path / "data").mkdir()
    database = shutil.copy(migrated_file, tmp_path / "data" / "videogen.sqlite")
    with closing(sqlite3.connect(database)) as connection, connection:
        now = time.time()  # or the cleanup would remove them
        connection.execute("INSERT INTO sessions (id, created_at, last_served_at) VALUES ('ses_a', ?, 0)", (now,))
        rows = ((f"dev_{number}", "ses_a", token_hash(f"token {number}"), now, now) for number in range(2000))
        names = "id, session_id, token_hash, name, created_at, last_seen_at"
        connection.executemany(f"INSERT INTO devices ({names}) VALUES (?, ?, ?, '', ?, ?)", rows)
    app = running_app()
    with Session(app.base_url) as session:
        done = session.finish(session.submit("bars")["id"])
        assert session.http.get("/readyz").json() == {"status": "ready"}
        pages, size = leaves(database, "devices")
        overwrite(database, (pages[0] - 1) * size, size)  # the first page; this session is on the last one

        with connect(app.base_url) as unlucky:
            answer = unlucky.get("/api/v1/generations", headers={"Authorization": "Bearer token 0"})
        assert (answer.status_code, answer.json()["code"]) == (507, "database_damaged")
        assert "videogen doctor" in answer.json()["detail"]
        assert session.http.get("/readyz").json()["code"] == "database_damaged"
        assert session.read(done["id"])["status"] == "completed"
        assert session.http.get(done["videoUrl"]).status_code == 200
        assert "Traceback" not in app.log
