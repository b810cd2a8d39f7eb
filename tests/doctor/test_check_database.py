import os
import re
import sqlite3

import pytest

from videogen.core.config import AppConfig
from videogen.core.security import Signer
from videogen.db.integrity import wal_of
from videogen.db.migrate import HEAD
from videogen.doctor import check_database, diagnose
from videogen.doctor.findings import Level


def test_a_missing_terminal_event_is_a_fault_and_is_stored(home, sql, faults, fixed):
    sql("DELETE FROM events WHERE type = 'render_result' AND generation_id = ?", home.ids[0])
    ((check, level, text),) = faults()
    assert (check, level) == ("generations", "fault")
    assert home.ids[0] in text
    assert "without a terminal event" in text
    assert fixed() == ("stored the terminal event of 1 generation",)
    assert faults() == []
    (event,) = sql("SELECT type FROM events WHERE generation_id = ? ORDER BY id DESC LIMIT 1", home.ids[0])
    assert event == ("render_result",)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "INSERT INTO events SELECT 99, session_id, project_id, generation_id, type, data, 0 FROM events WHERE id=3",
            "more than one terminal event",
        ),
        ("UPDATE generations SET status = 'processing' WHERE seq = 1", "has a terminal event, but is not ended"),
        ("UPDATE generations SET file_id = NULL WHERE seq = 1", "is completed without a file"),
    ],
)
def test_an_impossible_state_is_a_fault(home, sql, faults, statement, what):
    sql(statement)
    assert any(what in text and home.ids[0] in text for _, _, text in faults())
    for finding in faults():
        assert finding[1] == "fault" or finding[0] == "stray files"


def test_what_waits_for_its_owner_does_not_continue_by_itself(home, sql):
    sql("DELETE FROM events")
    sql("UPDATE generations SET status = 'processing'")
    sql("UPDATE generations SET stage = 'needs_attention' WHERE id = ?", home.ids[0])
    found = [finding.text for finding in diagnose(home.config).findings]
    assert "2 generations will continue at the next start" in found
    assert "not known whether a service has the job of 1 generation: the owner decides" in found


def test_an_unknown_revision_is_a_fault(home, sql, faults):
    sql("UPDATE alembic_version SET version_num = '9999'")
    ((check, level, text),) = faults()
    assert (check, level) == ("schema", "fault")
    assert "9999" in text


def test_a_database_of_another_application_is_a_fault(home, faults):
    home.path.unlink()
    connection = sqlite3.connect(home.path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    assert [(check, level) for check, level, _ in faults()] == [("schema", "fault")]


def test_broken_references_are_a_fault_and_are_repaired(home, sql, faults, fixed):
    sql("DELETE FROM projects WHERE id = (SELECT project_id FROM generations WHERE id = ?)", home.ids[0])
    sql("DELETE FROM generations WHERE id = ?", home.ids[1])
    assert ("references", "fault") in [(check, level) for check, level, _ in faults()]
    (done, moved) = fixed()
    assert "1 project restored" in done
    assert "left out" in done
    assert "stray" in moved
    assert faults() == []


def test_an_empty_database_with_files_is_a_fault(home, faults):
    home.path.write_bytes(b"")
    ((check, level, text),) = faults()
    assert (check, level) == ("database", "fault")
    assert "0 bytes" in text


def test_a_file_that_is_no_database_is_a_fault_and_is_left_unchanged(home, faults, fixed):
    home.path.write_bytes(b"no database at all" * 1000)
    assert any("file is not a database" in text for _, _, text in faults())
    assert fixed() == ()
    assert home.path.read_bytes().startswith(b"no database"), "it is left as it is"


def test_a_large_write_ahead_log_is_a_warning_and_is_written_back(home, sql, faults, fixed, monkeypatch):
    copy = home.root / "copy"
    connection = sqlite3.connect(home.path, isolation_level=None)
    connection.execute("UPDATE generations SET title = 'changed'")
    copy.write_bytes(wal_of(home.path).read_bytes())
    whole = home.path.read_bytes()
    connection.close()
    home.path.write_bytes(whole)
    copy.replace(wal_of(home.path))
    monkeypatch.setattr(check_database, "BIG_WAL", 1000)
    ((check, level, _),) = faults()
    assert (check, level) == ("write-ahead log", "warning")
    assert fixed() == ("the write-ahead log was written back into the database",)
    assert sql("SELECT DISTINCT title FROM generations") == [("changed",)]


def test_a_truncated_write_ahead_log_is_a_warning(home, faults):
    connection = sqlite3.connect(home.path, isolation_level=None)
    connection.execute("UPDATE generations SET title = 'changed'")
    cut = wal_of(home.path).read_bytes()[:-100]
    whole = home.path.read_bytes()
    connection.close()
    home.path.write_bytes(whole)
    wal_of(home.path).write_bytes(cut)
    ((check, level, text),) = faults()
    assert (check, level) == ("write-ahead log", "warning")
    assert "middle of a write" in text
    assert os.path.getsize(wal_of(home.path)) == len(cut)


@pytest.mark.postgresql
def test_a_database_of_postgresql_is_asked_for_its_schema(postgresql, tmp_path, monkeypatch):
    def texts(url):
        config = AppConfig(data_dir=tmp_path, database_url=url, secret_key="k" * 16)
        found = [(finding.level, finding.text) for finding in check_database.server(config)]
        return [(level, re.sub(r"[\d.]+(?= (answers|ms))", "#", text)) for level, text in found]

    with postgresql.database() as url:
        monkeypatch.setattr(check_database, "SLOW_SECONDS", 60.0)
        answers, revision = (Level.OK, "PostgreSQL # answers in # ms"), (Level.OK, f"revision {HEAD}")
        assert texts(url) == [answers, revision, (Level.OK, "the first start makes it the database's key")]
        with postgresql.connect(url) as connection:
            own = Signer(b"k" * 16).derive("installation")
            connection.execute("INSERT INTO installation VALUES (1, %s)", [own])
            assert texts(url)[2] == (Level.OK, "it is the key of this database")
            connection.execute("UPDATE installation SET key_digest = 'of another'")
            assert texts(url)[2][0] is Level.FAULT
            assert "is not the key with which this database was first used" in texts(url)[2][1]
            connection.execute("UPDATE alembic_version SET version_num = '0014'")
        assert texts(url)[1] == (Level.WARNING, f"revision 0014, this videogen has {HEAD}")
        monkeypatch.setattr(check_database, "SLOW_SECONDS", 0.0)
        assert texts(url)[0] == (Level.WARNING, "PostgreSQL # answers in # ms")
    with postgresql.database("template0") as url:
        assert texts(url)[1] == (Level.OK, "there are no tables yet; the first start makes them")
    ((level, text),) = texts(url)
    assert (level, "does not exist" in text) == (Level.FAULT, True)
