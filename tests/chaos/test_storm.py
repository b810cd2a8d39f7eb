"""A short storm, and that its verdict would see what it must not see."""

import asyncio
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.chaos.remains import DataDir, rows
from tests.chaos.report import report
from tests.chaos.storm import Plan, storm
from tests.chaos.verdict import Verdict
from tests.support.app import engine_reference

pytestmark = pytest.mark.timeout(400)
SHORT = Plan(kills=3, seed=20, people=2, must=("server", "cut", "renderer", "renderer"))
LONG = Plan(
    kills=5,
    seed=20,
    people=2,
    must=("renderer", "renderer", "cut", "server", "renderer", "stall", "stop", "renderer"),
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storm")
    return folder / "data", asyncio.run(storm(folder, SHORT))


def _lost_nothing(plan, outcome):
    assert not any(outcome.faults.values()), report(outcome)
    assert outcome.kills["renderer"] >= plan.must.count("renderer"), report(outcome)
    assert outcome.kills["server"] >= plan.must.count("server")
    assert outcome.ends["completed"] >= plan.must.count("renderer"), report(outcome)
    assert outcome.made_good, "no takeover was seen"


def test_nothing_is_lost_in_a_short_storm(outcome):
    _lost_nothing(SHORT, outcome[1])


@pytest.mark.long
async def test_nothing_is_lost_in_a_storm(tmp_path):
    _lost_nothing(LONG, await storm(tmp_path, LONG))


def _sql(statement):
    def tamper(data_dir, generation_id):
        with closing(sqlite3.connect(data_dir / "videogen.sqlite")) as database, database:
            assert database.execute(statement, {"id": generation_id}).rowcount

    return tamper


def _video(data_dir, generation_id):
    (key,) = rows(data_dir, "SELECT key FROM files WHERE generation_id = ? AND kind = 'video'", generation_id)
    return data_dir / "files" / key[0]


def _flip(data_dir, generation_id):
    path = _video(data_dir, generation_id)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


COLUMNS = "session_id, project_id, generation_id, type, data, created_at"
TAMPERED = {
    "a generation is gone": ("lost", _sql("DELETE FROM generations WHERE id = :id")),
    "a terminal event is gone": (
        "lost",
        _sql("DELETE FROM events WHERE generation_id = :id AND type = 'render_result'"),
    ),
    "a terminal event is there twice": (
        "doubled",
        _sql(
            f"INSERT INTO events ({COLUMNS}) SELECT {COLUMNS} FROM events"
            " WHERE generation_id = :id AND type = 'render_result'"
        ),
    ),
    "an end that nobody was told": (
        "lost",
        _sql("UPDATE events SET id = id + 1000000 WHERE generation_id = :id AND type = 'render_result'"),
    ),
    "one runs for ever": ("stuck", _sql("UPDATE generations SET status = 'processing' WHERE id = :id")),
    "one ended for the wrong reason": (
        "lost",
        _sql("UPDATE generations SET status = 'failed', error_code = 'worker_lost' WHERE id = :id"),
    ),
    "progress fell": (
        "wrong",
        _sql(
            "UPDATE events SET data = json_set(data, '$.progress', 100.0) WHERE id = (SELECT min(id) FROM events"
            " WHERE generation_id = :id AND json_extract(data, '$.attempt') ="
            " (SELECT attempt FROM generations WHERE id = :id))"
        ),
    ),
    "a file without a row": ("orphan", lambda folder, name: _video(folder, name).with_name("x.mp4").touch()),
    "a row without a file": ("orphan", lambda folder, name: _video(folder, name).unlink()),
    "a work folder": ("orphan", lambda folder, name: (folder / "work" / name).mkdir()),
    "another video": ("wrong", _flip),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_the_verdict_sees_it(outcome, tmp_path, name):
    data_dir, outcome = outcome
    shutil.copytree(data_dir, tmp_path / "data")
    kind, tamper = TAMPERED[name]
    completed = "SELECT id FROM generations WHERE status = 'completed' ORDER BY seq"
    told = {event.generation_id for ledger in outcome.ledgers for event in ledger.told}
    tamper(tmp_path / "data", next(row[0] for row in rows(data_dir, completed) if row[0] in told))
    faults = Verdict(DataDir(tmp_path / "data"), outcome.ledgers, engine_reference).faults()
    assert faults[kind], faults


def test_the_verdict_sees_what_one_of_a_crowd_was_not_told(outcome):
    data_dir, outcome = outcome
    verdict = Verdict(DataDir(data_dir), outcome.ledgers, engine_reference)
    session = outcome.ledgers[0].session_id
    query = "SELECT id, type FROM events WHERE session_id = ? ORDER BY id"
    heard = rows(data_dir, query, session)
    (end, *_) = (number for number, kind in heard if kind == "render_result")
    assert verdict.crowd(session, [heard]) == []
    assert verdict.crowd(session, [[event for event in heard if event[0] != end]]), "an end is missing"
    assert verdict.crowd(session, [[*heard, heard[-1]]]), "an event came twice"
    assert verdict.crowd(session, [[heard[1], heard[0], *heard[2:]]]), "two events changed their places"
    assert verdict.crowd(session, [heard[:-1]]), "the last event is missing"
    assert verdict.crowd(session, [[]]), "nothing was told"
