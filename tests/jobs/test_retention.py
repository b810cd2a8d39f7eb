"""What was kept long enough goes with its files; in a full storage what was used longest ago; never what is used."""

import threading
from types import SimpleNamespace

import pytest
from sqlmodel import select

from tests.support.rows import result, upload_row
from videogen.core.in_use import RECENT_SECONDS, InUse
from videogen.db.tables import FileRow, GenerationRow
from videogen.jobs import retention
from videogen.jobs.retention import (
    EXPORT_SECONDS,
    IN_USE_SECONDS,
    INTERVAL_SECONDS,
    ROOM,
    UPLOAD_SECONDS,
    RetentionThread,
)
from videogen.store import RetentionRules
from videogen.store.retention import ALMOST_FULL

HOUR = 3600.0
SIZE = 2 * 1234
"""Of the files of one generation: see `tests.support.rows.result`."""
RULES = RetentionRules(seconds=2 * HOUR)


@pytest.fixture(autouse=True)
def without_rest(monkeypatch):
    monkeypatch.setattr(retention, "REST", 0.0)


@pytest.fixture
def in_use(clock):
    return InUse(clock)


@pytest.fixture
def heard():
    """What open pages hear of: session, and the ids of what is gone."""
    return []


@pytest.fixture
def remover(store, storage, data_folder, in_use, heard):
    """Makes the thread's object for these rules, without starting it."""

    def make(rules=RULES, watched=()):
        streams = SimpleNamespace(watched=lambda: watched, retention_changed=lambda *change: heard.append(change))
        return RetentionThread(store, storage, data_folder, rules, in_use, streams)

    return make


@pytest.fixture
def finished(submit, queue, store, storage, clock):
    """A finished generation with its files; each is used a second after the one before."""

    def finish(session_id):
        clock.now += 1
        row = submit(session_id)
        made = result(row)
        for file in (made.video, made.poster):
            storage.put(b"x" * 10, file.key)
        queue.finish(queue.claim("worker"), made)
        return row.id

    return finish


@pytest.fixture
def left(database):
    """The ids of all generations, oldest first."""

    def left():
        with database.read() as session:
            return list(session.exec(select(GenerationRow.id).order_by(GenerationRow.seq)))

    return left


def test_what_is_overdue_goes_with_its_files_and_the_next_look_is_when_the_next_is_due(
    remover, finished, left, storage, store, alice, bob, clock
):
    first = finished(alice)
    clock.now += HOUR
    second = finished(bob)
    thread = remover()
    assert thread.remove_due() == pytest.approx(INTERVAL_SECONDS)
    clock.now += HOUR - 2
    assert thread.remove_due() == pytest.approx(1)
    assert left() == [first, second]
    clock.now += 1
    thread.remove_due()
    assert left() == [second]
    assert [file.key.partition("/")[0] for file in storage.list()] == [second, second]
    assert store.list_removals() == []


def test_many_go_in_small_batches(remover, finished, left, alice, clock, monkeypatch, store):
    monkeypatch.setattr(retention, "BATCH", 2)
    sizes = []
    remove = store.remove_ended
    monkeypatch.setattr(store, "remove_ended", lambda ids, still: sizes.append(len(ids)) or remove(ids, still))
    for _ in range(5):
        finished(alice)
    clock.now += RULES.seconds
    remover().remove_due()
    assert (left(), sizes) == ([], [2, 2, 1])


def test_the_open_pages_of_each_session_hear_what_of_theirs_is_gone(
    remover, finished, heard, alice, bob, clock, monkeypatch
):
    monkeypatch.setattr(retention, "BATCH", 1)
    rows = {alice: [finished(alice), finished(alice)], bob: [finished(bob)]}
    clock.now += RULES.seconds
    remover().remove_due()
    assert [one for one, _ in heard] == [alice, alice, bob], "the first at once, then what has come together"
    for owner, ids in rows.items():
        assert [name for one, gone in heard if one == owner for name in gone] == ids


def test_sessions_hear_once_that_something_of_theirs_goes_first_in_a_storage_that_fills_up(
    remover, finished, heard, alice, bob
):
    rules = RetentionRules(seconds=1000 * HOUR, max_bytes=round(4 * SIZE / ALMOST_FULL) - 1)
    thread = remover(rules)
    for owner in (alice, bob, bob):
        finished(owner)
        thread.remove_due()
    assert heard == []
    finished(bob)
    thread.remove_due()
    thread.remove_due()
    assert heard == [(alice, ())]


@pytest.mark.parametrize("use", ["held", "session held", "recent", "watched"])
def test_what_is_used_stays_until_it_is_not_and_keeps_nothing_else(
    remover, finished, left, alice, bob, in_use, clock, use, monkeypatch
):
    monkeypatch.setattr(retention, "BATCH", 1)
    used, other = finished(alice), finished(bob)
    watched = {used} if use == "watched" else set()
    thread = remover(watched=watched)
    clock.now += RULES.seconds
    names = {"held": [used], "session held": [alice]}.get(use, [])
    with in_use.hold(*names):
        if use == "recent":
            in_use.note(used)
        assert thread.remove_due() <= max(IN_USE_SECONDS, RECENT_SECONDS if use == "recent" else 0)
        assert left() == [used]
    watched.clear()
    clock.now += RECENT_SECONDS
    thread.remove_due()
    assert left() == []
    assert other


@pytest.mark.parametrize("use", ["held", "session held", "recent", "watched"])
@pytest.mark.databases("postgresql")
def test_what_another_process_uses_stays_and_one_process_removes(
    store, storage, data_folder, finished, left, alice, clock, use, monkeypatch
):
    monkeypatch.setattr(type(storage), "is_shared", True)

    def process(watched=()):
        in_use = InUse(clock)
        streams = SimpleNamespace(watched=lambda: set(watched), retention_changed=lambda *_: None)
        return in_use, RetentionThread(store, storage, data_folder, RULES, in_use, streams)

    used = finished(alice)
    _, remover = process()
    remover.remove_due()
    in_use, other = process(watched=[used] if use == "watched" else ())
    clock.now += RULES.seconds
    with in_use.hold(*{"held": [used], "session held": [alice]}.get(use, [])):
        if use == "recent":
            in_use.note(used)
        other.remove_due()
        remover.remove_due()
        assert left() == [used]
    clock.now += RECENT_SECONDS
    other._streams.watched = set
    other.remove_due()
    assert left() == [used], "the first one has the task"
    remover.remove_due()
    assert left() == []


def test_room_that_one_process_needs_is_made_by_the_one_that_removes(remover, storage, monkeypatch):
    monkeypatch.setattr(type(storage), "is_shared", True)
    removes, needs = remover(), remover()
    needs.make_room()
    assert removes._wake.wait(20)


def test_a_keep_between_the_look_and_the_removal_wins(
    remover, finished, left, alice, clock, store, storage, monkeypatch
):
    row = finished(alice)
    clock.now += RULES.seconds
    look = store.due_for_retention

    def keep_meanwhile(*arguments):
        found = look(*arguments)
        store.keep(alice, row)
        return found

    monkeypatch.setattr(store, "due_for_retention", keep_meanwhile)
    remover().remove_due()
    assert left() == [row]
    assert len(list(storage.list())) == 2


def _rules(generations, **more):
    """A limit that so many generations just do not reach, with the room that is left."""
    return RetentionRules(seconds=1000 * HOUR, max_bytes=round((generations * SIZE + 1) / ROOM), **more)


def test_a_full_storage_loses_what_was_used_longest_ago(remover, finished, left, alice, bob, in_use, clock):
    rows = [finished(one) for one in (alice, bob, alice, bob)]
    clock.now += HOUR
    in_use.note(rows[0])
    clock.now += RECENT_SECONDS
    remover(_rules(2)).remove_due()
    assert left() == [rows[0], rows[3]]


def test_favourites_stay_in_a_full_storage_where_they_are_kept(remover, finished, left, alice, store):
    rows = [finished(alice) for _ in range(3)]
    store.patch_generation(alice, rows[0], {"favorite": True})
    remover(_rules(1)).remove_due()
    assert left() == [rows[0]]
    remover(_rules(0)).remove_due()
    assert left() == [rows[0]], "submits are refused then"
    remover(_rules(0, keeps_favorites=False)).remove_due()
    assert left() == []


def test_each_session_has_its_own_limit(remover, finished, left, alice, bob):
    old, new, other = finished(alice), finished(alice), finished(bob)
    remover(RetentionRules(seconds=1000 * HOUR, max_bytes_per_session=round((SIZE + 1) / ROOM))).remove_due()
    assert left() == [new, other]
    assert old


def test_uploads_that_nothing_uses_go_first(remover, finished, left, alice, store, storage, clock, database):
    row = finished(alice)
    for digest in ("old", "new"):
        upload = upload_row(alice, digest, clock.now)
        upload.size_bytes = 5000
        storage.put(b"x", upload.key)
        store.add_upload(upload, 10)
        clock.now += UPLOAD_SECONDS
    clock.now -= 1
    remover(RetentionRules(seconds=1000 * HOUR, max_bytes=round((SIZE + 5001) / ROOM))).remove_due()
    assert left() == [row]
    assert store.find_upload(alice, "old") is None
    assert store.find_upload(alice, "new") is not None
    with database.read() as session:
        assert len(session.exec(select(FileRow)).all()) == 2


def test_exports_go_before_any_result_but_not_while_they_are_new(remover, finished, left, alice, store, storage, clock):
    rows, keys = [finished(alice), finished(alice)], []
    for row in rows:
        store.request_export(alice, row, "gif")
        job = store.claim_export(10.0)
        keys.append(job.key(1))
        storage.put(b"gif", keys[-1])
        store.finish_export(job, 5000)
        clock.now += EXPORT_SECONDS
    clock.now += 1
    full = remover(RetentionRules(seconds=1000 * HOUR, max_bytes=round((2 * SIZE + 5001) / ROOM)))
    full.remove_due()
    assert left() == rows
    assert [storage.exists(key) for key in keys] == [False, True], "the oldest one is enough"
    fuller = remover(RetentionRules(seconds=1000 * HOUR, max_bytes=round((2 * SIZE + 1) / ROOM)))
    clock.now -= 2
    fuller.remove_due()
    assert (left(), storage.exists(keys[1])) == ([], False), "a new one goes with its generation alone"


def test_without_retention_nothing_goes_and_no_thread_runs(remover, finished, left, alice, clock):
    row = finished(alice)
    thread = remover(RetentionRules(max_bytes=1))
    clock.now += 1e9
    thread.start()
    thread.stop()
    assert left() == [row]
    assert not any(one.name == "retention" for one in threading.enumerate())


def test_the_thread_wakes_when_something_has_ended_and_ends_when_it_is_told(
    remover, finished, left, alice, monkeypatch, store
):
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    removed = threading.Event()
    remove = store.remove_ended
    monkeypatch.setattr(store, "remove_ended", lambda *arguments: (remove(*arguments), removed.set())[0])
    thread = remover(_rules(1))
    thread.start()
    try:
        rows = [finished(alice) for _ in range(2)]
        assert removed.wait(20)
    finally:
        thread.stop()
    assert left() == rows[1:]
