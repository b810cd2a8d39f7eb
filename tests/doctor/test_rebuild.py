"""Bytes of a database are damaged: all readable rows are kept, and no reference is broken."""

import json
import random
import sqlite3
from contextlib import closing

import pytest

from tests.support.damage import damage_table, leaves, overwrite
from tests.support.rows import fields
from videogen.core.security import token_hash
from videogen.db.database import Database
from videogen.db.integrity import check
from videogen.db.migrate import migrate
from videogen.doctor.rebuild import rebuild, salvage
from videogen.storage import DiskStorage
from videogen.store import Store


@pytest.fixture
def full(home, sql):
    """Many events, so that their table has many pages."""
    with closing(sqlite3.connect(home.path)) as connection, connection:
        (session, project) = connection.execute(
            "SELECT session_id, project_id FROM generations WHERE id = ?", (home.ids[0],)
        ).fetchone()
        rows = (
            (number, session, project, home.ids[0], "render_progress", json.dumps({"step": number, "text": "x" * 200}))
            for number in range(1000, 4000)
        )
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, 0)", rows)
    return home


def _generations(home):
    database = Database(f"sqlite:///{home.path}")
    try:
        store = Store(database)
        assert store.find_device(home.token).session_id == home.session, "its owner can still open it"
        return {row.id: fields(row) for row in (store.get_generation(home.session, name) for name in home.ids)}
    finally:
        database.close()


def test_without_damage_a_rebuilt_database_has_the_same_rows(home, sql):
    tables = ("sessions", "devices", "projects", "generations", "files", "events", "sqlite_sequence", "alembic_version")
    before = {table: sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables}
    rebuild(home.path, DiskStorage(home.files))
    assert {table: sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables} == before


def test_a_damaged_page_of_events_loses_only_its_own_rows(full, sql, faults, fixed):
    before = _generations(full)
    damage_table(full.path, "events", pages=5)
    assert any("is damaged" in text for _, _, text in faults())
    (done, *_) = fixed()
    assert "is rebuilt with" in done
    assert check(full.path).faults == ()
    assert _generations(full) == before
    (number,) = sql("SELECT count(*) FROM events")[0]
    assert 2800 < number < 3005, "some hundred of three thousand are lost"
    assert [text for _, _, text in faults()] == []
    (kept,) = [path for path in full.root.glob("videogen.sqlite.damaged-*") if not path.name.endswith("-wal")]
    assert check(kept).faults, "the damaged file is kept as it was"


def test_numbers_of_lost_events_are_never_used_again(full, sql, fixed):
    damage_table(full.path, "events", pages=3)
    fixed()
    newest = sql("SELECT max(id) FROM events")[0][0]
    assert newest < 3999, "the last page was among them"
    assert sql("SELECT seq FROM sqlite_sequence WHERE name = 'events'")[0][0] >= 3999


def test_lost_sessions_are_restored_from_their_indexes(home, faults, fixed):
    before = _generations(home)
    damage_table(home.path, "sessions")
    (done, *_) = fixed()
    assert "1 session restored" in done
    assert _generations(home) == before
    assert faults() == []


def test_lost_devices_are_restored_from_their_indexes(home, faults, fixed):
    before = _generations(home)
    damage_table(home.path, "devices")
    fixed()
    assert _generations(home) == before, "and its owner can open it"
    assert faults() == []


def test_lost_sessions_of_an_older_database_are_restored_with_their_tokens(tmp_path):
    path = tmp_path / "videogen.sqlite"
    migrate(f"sqlite:///{path}", "0006")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO sessions VALUES ('ses_a', ?, 0, 0)", (token_hash("a token"),))
    damage_table(path, "sessions")
    assert "1 session restored" in rebuild(path, None)
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    assert Store(database).find_device("a token").session_id == "ses_a"
    database.close()


def test_lost_file_rows_are_restored_from_the_files(home, sql, faults, fixed):
    before = sql("SELECT id, generation_id, kind, key, content_type, size_bytes FROM files ORDER BY id")
    damage_table(home.path, "files")
    (done, *_) = fixed()
    assert "6 files linked again" in done
    assert sql("SELECT id, generation_id, kind, key, content_type, size_bytes FROM files ORDER BY id") == before
    assert faults() == []


def test_a_lost_file_row_leads_to_the_file_of_the_last_attempt(home, sql, fixed):
    DiskStorage(home.files).put(b"second attempt", f"{home.ids[0]}/a2-video.mp4")
    damage_table(home.path, "files")
    fixed()
    query = "SELECT key, size_bytes FROM files WHERE generation_id = ? AND kind = 'video'"
    assert sql(query, home.ids[0]) == [(f"{home.ids[0]}/a2-video.mp4", 14)]


def test_lost_projects_are_restored_from_their_generations(home, sql, faults, fixed):
    before = _generations(home)
    damage_table(home.path, "projects")
    (done, *_) = fixed()
    assert "3 projects restored" in done
    assert _generations(home) == before
    assert faults() == []


def test_a_lost_input_image_does_not_lose_the_generation(home, sql, fixed):
    values = (home.session, "digest", "uploads/fil_a.png", "image/png", 8, 8, 5, 0.0)
    sql("INSERT INTO uploads VALUES ('fil_a', ?, ?, ?, ?, ?, ?, ?, ?)", *values)
    sql("UPDATE generations SET input_file_id = 'fil_a', last_frame_file_id = 'fil_a' WHERE id = ?", home.ids[0])
    before = _generations(home)
    damage_table(home.path, "uploads")
    fixed()
    before[home.ids[0]].update(input_file_id=None, last_frame_file_id=None)
    assert _generations(home) == before


def test_videos_of_lost_generations_are_moved_and_not_deleted(home, faults, fixed):
    damage_table(home.path, "generations")
    done = fixed()
    assert "left out" in done[0]
    assert any("stray files moved" in text for text in done)
    assert len(list((home.root / "lost+found").rglob("a1-video.mp4"))) == 3
    assert faults() == []


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.95])
def test_a_truncated_database_keeps_its_readable_rows(full, sql, faults, fixed, cut):
    before = _generations(full)
    data = full.path.read_bytes()
    full.path.write_bytes(data[: int(len(data) * cut) // 4096 * 4096])
    assert any("is damaged" in text for _, _, text in faults())
    fixed()
    assert check(full.path).faults == ()
    assert _generations(full) == before, "their pages are in front"
    assert 0 < sql("SELECT count(*) FROM events")[0][0] < 3000
    assert faults() == []


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_never_leaves_a_damaged_database_or_loses_the_original(full, fixed, seed):
    rng = random.Random(seed)
    data = bytearray(full.path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        # Not the first page: without the list of its tables nobody can read a database.
        length = rng.randint(1, 6000)
        begin = rng.randrange(4096, len(data) - length)
        data[begin : begin + length] = rng.randbytes(length)
    damaged = bytes(data)
    full.path.write_bytes(damaged)
    was_damaged = bool(check(full.path).faults)
    fixed()
    if was_damaged:
        kept = [path.read_bytes() for path in full.root.glob("videogen.sqlite*")]
        assert damaged in kept
        assert check(full.path).faults == () or full.path.read_bytes() == damaged


@pytest.mark.parametrize("page", [1, 2])
def test_a_database_without_a_readable_list_of_tables_is_unchanged(full, sql, faults, fixed, page):
    with closing(sqlite3.connect(full.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(full.path, 100 if page == 1 else 0, 3996 if page == 1 else 4096)
    before = full.path.read_bytes()
    assert fixed() == ()
    assert full.path.read_bytes() == before
    assert [path.name for path in full.root.glob("videogen.sqlite*")] == ["videogen.sqlite"]
    assert any(level == "fault" for _, level, _ in faults())


def test_salvage_reads_every_readable_row_with_any_gaps_between_numbers(tmp_path):
    path = tmp_path / "sparse.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        rows = [(number * 1_000_003, "x" * 300) for number in range(1, 2000)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    damage_table(path, "t", pages=40)
    with closing(sqlite3.connect(path)) as connection:
        found = [row[0] for row in salvage(connection, "t", ["id"])]
    assert found == [number for number, _ in rows[: len(found)]], "up to the damage"

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE u (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO u VALUES (?, ?)", rows)
    _damage_middle(path, "u")
    with closing(sqlite3.connect(path)) as connection:
        found = [row[0] for row in salvage(connection, "u", ["id"])]
    assert found[0] == rows[0][0]
    assert found[-1] == rows[-1][0]
    assert len(rows) - 30 < len(found) < len(rows)


def _damage_middle(path, table):
    pages, size = leaves(path, table)
    overwrite(path, (pages[len(pages) // 2] - 1) * size, size)
