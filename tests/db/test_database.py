import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from tests.support.damage import damage_table
from tests.support.holders import held
from tests.support.rows import stored_event
from videogen.core.errors import DatabaseBusyError, DatabaseDamagedError, StorageError
from videogen.db import write_turns
from videogen.db.database import Database
from videogen.db.tables import SessionRow
from videogen.store.transitions import update_running


def _ids(database):
    with database.read() as session:
        return set(session.exec(select(SessionRow.id)))


def _session(name):
    return SessionRow(id=name, created_at=0)


def test_a_write_is_committed_when_its_block_ends(database):
    with database.write() as unit:
        unit.session.add(_session("ses_a"))
        unit.session.flush()
        assert _ids(database) == set()
    assert _ids(database) == {"ses_a"}


def test_a_write_that_raises_is_rolled_back_without_events(database):
    published = []
    database.listen(published.extend)

    def write():
        with database.write() as unit:
            unit.session.add(_session("ses_a"))
            unit.session.flush()
            unit.events.append(stored_event(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert published == []
    assert _ids(database) == set()


def test_a_failed_commit_publishes_nothing_and_the_next_write_works(database):
    published = []
    database.listen(published.extend)
    with database.write() as unit:
        unit.session.add(_session("ses_a"))

    def write_again():
        with database.write() as unit:
            unit.session.add(_session("ses_a"))
            unit.events.append(stored_event(1))

    with pytest.raises(IntegrityError):
        write_again()
    with database.write() as unit:
        unit.session.add(_session("ses_b"))
    assert published == []
    assert _ids(database) == {"ses_a", "ses_b"}


def test_an_event_is_published_only_after_it_can_be_read(database, store, submit, alice):
    seen = []

    def listener(events):
        with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"))) as other:
            statement = "SELECT count(*) FROM events WHERE id = ?"
            seen.extend(other.execute(statement, (event.id,)).fetchone() for event in events)

    database.listen(listener)
    submit.project(alice, 3)
    assert seen == [(1,)] * 3


def test_many_writers_are_published_in_the_order_of_their_commits(database, store, queue, submit, alice):
    rows = submit.project(alice, 8)
    leases = [queue.claim("worker") for _ in rows]
    published, barrier = [], Barrier(8)
    database.listen(lambda events: published.extend(event.id for event in events))

    def write(lease):
        barrier.wait()
        for step in range(25):
            with database.write() as unit:
                update_running(unit, lease.generation_id, step, {"step": step}, attempt=1)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, leases))
    assert len(published) == 200
    assert published == sorted(published)
    with database.read() as session:
        last = session.scalars(text("SELECT id FROM events ORDER BY id DESC LIMIT 200")).all()
    assert published == sorted(last)


def test_a_reader_sees_a_snapshot_and_never_waits_for_a_writer(database):
    with database.write() as unit:
        unit.session.add(_session("ses_a"))
    written, looked = Event(), Event()

    def write():
        with database.write() as unit:
            unit.session.add(_session("ses_b"))
            unit.session.flush()
            written.set()
            assert looked.wait(20)

    with ThreadPoolExecutor(1) as threads, database.read() as session:
        assert len(session.exec(select(SessionRow)).all()) == 1
        writing = threads.submit(write)
        assert written.wait(20)
        assert _ids(database) == {"ses_a"}
        looked.set()
        writing.result(20)
        assert len(session.exec(select(SessionRow)).all()) == 1, "a transaction reads one moment"
    assert _ids(database) == {"ses_a", "ses_b"}


def test_a_row_needs_an_existing_session(database):
    statement = text("INSERT INTO projects VALUES ('prj_a', 'ses_none', 'req_a', NULL, '', 0)")
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.write() as unit:
        unit.session.connection().execute(statement)


def test_a_write_waits_for_a_write_of_another_process(database):
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as threads:
        other.execute("BEGIN IMMEDIATE")
        began = Event()

        def write():
            began.set()
            with database.write() as unit:
                unit.session.add(_session("ses_a"))

        writing = threads.submit(write)
        assert began.wait(20)
        other.execute("COMMIT")
        writing.result(20)
    assert _ids(database) == {"ses_a"}


def test_close_is_idempotent_and_leaves_one_complete_file(tmp_path, database):
    with database.write() as unit:
        unit.session.add(_session("ses_a"))
    database.close()
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["videogen.sqlite"]
    again = Database(database.url)
    assert _ids(again) == {"ses_a"}
    again.close()


def test_a_write_to_a_full_disk_is_rolled_back_with_a_storage_error_and_works_later(database):
    def limit(pages):
        with database.write() as unit:
            unit.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            return unit.connection.exec_driver_sql("PRAGMA page_count").scalar()

    pages = limit(1)  # SQLite takes the pages that there are for the least

    def fill():
        with database.write() as unit:
            for number in range(10_000):
                unit.session.add(_session(f"ses_{number}"))

    with pytest.raises(StorageError, match=r"The disk is full\. Free some space") as caught:
        fill()
    assert caught.value.status == 507
    assert _ids(database) == set(), "nothing half-stored, and reads go on"
    assert limit(pages + 1000) == pages
    with database.write() as unit:
        unit.session.add(_session("ses_a"))
    assert _ids(database) == {"ses_a"}


def test_a_write_waits_for_its_turn_only_so_long_and_reads_wait_for_nobody(database, monkeypatch):
    monkeypatch.setattr(write_turns, "PATIENCE_SECONDS", 0.1)

    def write(name):
        with database.write() as unit:
            unit.session.add(_session(name))

    with ThreadPoolExecutor(1) as other:
        with held(database.path):
            for _ in range(2):
                with pytest.raises(DatabaseBusyError, match="Another program holds the database"):
                    write("ses_a")
            assert _ids(database) == set()
        write("ses_a")
        with database.write(), pytest.raises(DatabaseBusyError, match="in the middle of a large change"):
            other.submit(write, "ses_b").result()
        other.submit(write, "ses_c").result()
    assert _ids(database) == {"ses_a", "ses_c"}


def test_a_damaged_page_raises_an_error_that_names_the_doctor(database):
    path = Path(database.url.removeprefix("sqlite:///"))
    with database.write() as unit:
        unit.session.add_all([_session(f"ses_{number}") for number in range(500)])
    database.close()
    damage_table(path, "sessions")
    message = r"The database is damaged \(.+\).*videogen doctor"
    with pytest.raises(DatabaseDamagedError, match=message), database.read() as session:
        session.exec(select(SessionRow)).all()
    with pytest.raises(DatabaseDamagedError, match=message), database.write() as unit:
        unit.connection.execute(text("UPDATE sessions SET last_served_at = 1"))


def test_a_file_that_is_no_database_any_more_raises_a_damage_error(database):
    path = Path(database.url.removeprefix("sqlite:///"))
    database.close()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DatabaseDamagedError, match="file is not a database"):
        _ids(database)
    with pytest.raises(DatabaseDamagedError, match="file is not a database"), database.write():
        pass


def test_a_file_that_cannot_be_opened_raises_a_storage_error_with_the_reason(tmp_path):
    (tmp_path / "none").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'none'}")
    with pytest.raises(StorageError, match="unable to open database file"):
        _ids(database)
    database.close()
