import os
import sqlite3
import threading
import time
from contextlib import closing
from functools import partial

import pytest

from tests.support.api import Session
from tests.support.rows import result
from videogen.core.errors import DatabaseAwayError, StorageAwayError, StorageError
from videogen.engines.process.protocol import LOG_NAME
from videogen.jobs.cleanup import CleanupThread, complete_removals, remove_files, remove_generations, sweep
from videogen.store import Fence, Store

PATIENCE = 20


@pytest.fixture
def ended(store, storage, queue, submit, alice, data_folder):
    """Makes completed generations, each with one file."""

    def make():
        row = submit(alice)
        queue.claim("worker")
        done = result(row)
        for file in (done.video, done.poster):
            source = data_folder.make_work_folder(row.id) / "out"
            source.write_bytes(b"bytes")
            storage.put(source, file.key)
        store.complete(Fence(row.id, 1), done)
        remove_files(storage, data_folder, row.id, partial(store.keys_kept, row.id))
        return row.id

    return make


def _everything(data_folder):
    return sorted(str(path.relative_to(data_folder.root)) for path in data_folder.root.rglob("*") if path.is_file())


def test_a_removal_that_was_interrupted_after_its_rows_were_deleted_is_completed(
    store, storage, ended, alice, data_folder
):
    kept, lost = ended(), ended()
    store.delete_generation(alice, lost)  # and here the process was killed
    assert sweep(store, storage, data_folder) == 1
    assert store.list_removals() == []
    assert not (data_folder.files / lost).exists()
    assert [name for name in _everything(data_folder) if kept not in name] == []
    assert len(_everything(data_folder)) == 2


def test_files_without_a_row_are_left_for_the_doctor(store, storage, ended, alice, data_folder):
    lost = ended()
    store.delete_generation(alice, lost)
    store.end_removals([lost])
    before = _everything(data_folder)
    assert before
    assert sweep(store, storage, data_folder) == 0
    assert _everything(data_folder) == before, "the database may be the older one, restored from a backup"


def test_only_scratch_files_of_an_earlier_process_are_removed(store, storage, ended, data_folder):
    kept = ended()
    old = [
        data_folder.root / ".probe.1.2",
        data_folder.root / ".secret.abcd",
        (data_folder.files / kept) / "x.png.part",
    ]
    for path in old:
        path.write_bytes(b"half")
        os.utime(path, (time.time() - 60, time.time() - 60))
    now = data_folder.root / ".probe.3.4"
    now.write_bytes(b"half")
    os.utime(now, (time.time() + 60, time.time() + 60))
    assert sweep(store, storage, data_folder) == 3
    assert now.exists()
    assert not [path for path in old if path.exists()]


def test_a_delete_removes_rows_and_files_also_after_a_crash_between_them(running_app):
    app = running_app()
    with Session(app.base_url) as session:
        made = session.finish(session.submit("bars")["id"])
        assert session.delete(f"/generations/{made['id']}").status_code == 204
        assert session.get(f"/generations/{made['id']}").status_code == 404
        assert session.http.get(made["videoUrl"]).status_code == 404
        assert list((app.data_dir / "files").iterdir()) == []
        other = session.submit("bars")
        session.finish(other["id"])
        files = app.data_dir / "files"

        # A crash in the middle of a delete: the rows are gone, the files are there.
        app.kill()
        with closing(sqlite3.connect(app.data_dir / "videogen.sqlite")) as connection, connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("DELETE FROM generations WHERE id = ?", (other["id"],))
            connection.execute("INSERT INTO removals VALUES (?, ?)", (other["id"], time.time()))
        (app.data_dir / "work" / "gen_unknown").mkdir()
        app.start()
        third = session.finish(session.submit("bars")["id"])
        while [path.name for path in files.iterdir()] != [third["id"]] or any((app.data_dir / "work").iterdir()):
            pass
        assert session.http.get(third["videoUrl"]).status_code == 200


def test_files_that_cannot_be_removed_now_are_removed_later(store, storage, data_folder, ended, alice, monkeypatch):
    lost = ended()
    with monkeypatch.context() as broken:
        broken.setattr(storage, "delete", _fail)
        delete = partial(store.delete_generation, alice, lost)
        assert remove_generations(store, storage, data_folder, delete) == {lost}
    assert (data_folder.files / lost).exists()
    assert store.list_removals() == [lost]
    _run(CleanupThread(store, storage, data_folder, lambda _: False))
    assert not (data_folder.files / lost).exists()
    assert store.list_removals() == []


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("where", ["here", "at a process that has died"])
def test_what_a_render_leaves_in_a_common_storage_goes_wherever_it_ended(
    store, storage, data_folder, ended, monkeypatch, where
):
    monkeypatch.setattr(type(storage), "is_shared", True)
    over = ended()
    assert store.list_removals() == [over]
    kept = {file.key for file in storage.list()}
    storage.put(b"half", f"{over}/work-1/frame.png")
    cleanup = CleanupThread(store, storage, data_folder, lambda _: False)
    if where == "here":
        cleanup.check(over)
    else:
        complete_removals(store, storage, data_folder)
    _run(cleanup, look=False)
    assert {file.key for file in storage.list()} == kept
    assert store.list_removals() == []


def test_a_log_that_the_storage_does_not_take_now_stays_until_it_does(
    store, storage, ended, alice, data_folder, monkeypatch
):
    over = ended()
    (data_folder.make_work_folder(over) / LOG_NAME).write_text("a line\n")
    cleanup = CleanupThread(store, storage, data_folder, lambda _: False)
    with monkeypatch.context() as away:
        away.setattr(storage, "put", _away)
        cleanup.check(over)
        _run(cleanup, look=False)
    assert data_folder.list_work_folders() == [over]
    _run(CleanupThread(store, storage, data_folder, lambda _: False), look=False)
    assert data_folder.list_work_folders() == []
    with storage.open(store.find_log(alice, over)) as log:
        assert log.read() == b"a line\n"


def _away(*_arguments, **_options):
    raise StorageAwayError


# The trash


def _run(cleanup, look=True):
    """Run a cleanup until nothing is left to do."""
    thread = threading.Thread(target=cleanup.run)
    thread.start()
    if look:
        cleanup.check_trash()
    cleanup.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_trash_is_emptied_when_its_time_is_over_and_not_before(store, storage, ended, alice, clock, data_folder):
    lost, kept, later = ended(), ended(), ended()
    every = _everything(data_folder)
    store.trash(alice, [lost], clock.now + 60)
    store.trash(alice, [later], clock.now + 600)
    _run(CleanupThread(store, storage, data_folder, lambda _: False))
    assert _everything(data_folder) == every
    clock.now += 60
    _run(CleanupThread(store, storage, data_folder, lambda _: False), look=False)
    assert _everything(data_folder) == [name for name in every if lost not in name], "the start looks too"
    assert store.restore(alice, [lost, kept, later]) == {kept, later}


def test_an_interrupted_removal_from_the_trash_is_completed(store, storage, ended, alice, clock, data_folder):
    lost = ended()
    store.trash(alice, [lost], clock.now + 60)
    _run(CleanupThread(store, storage, data_folder, lambda _: False))
    assert _everything(data_folder) != [], "its time is not over"
    clock.now += 60
    assert store.remove_trashed(lost) == [lost]  # and here the process was killed
    _run(CleanupThread(store, storage, data_folder, lambda _: False), look=False)
    assert _everything(data_folder) == []


def test_the_trash_is_emptied_without_a_signal(database, storage, ended, store, alice, clock, monkeypatch, data_folder):
    lost = ended()
    removed = threading.Event()
    monkeypatch.setattr("videogen.jobs.cleanup.remove_files", lambda *_: removed.set() or True)
    now = Store(database, time.time)
    cleanup = CleanupThread(now, storage, data_folder, lambda _: False)
    thread = threading.Thread(target=cleanup.run)
    thread.start()
    try:
        now.trash(alice, [lost], time.time() + 0.2)
        cleanup.check_trash()
        assert removed.wait(PATIENCE)
    finally:
        cleanup.stop()
        thread.join(PATIENCE)


def test_a_work_folder_goes_although_the_event_of_the_end_was_lost_and_the_database_was_away(
    store, storage, ended, monkeypatch, data_folder
):
    monkeypatch.setattr("videogen.jobs.cleanup._FOLDERS_SECONDS", 0.05)
    over, removed, away = ended(), threading.Event(), [DatabaseAwayError()]
    keys_kept, remove_work_folder = store.keys_kept, data_folder.remove_work_folder

    def sometimes(generation_id):
        if away:
            raise away.pop()
        return keys_kept(generation_id)

    def noted(generation_id):
        remove_work_folder(generation_id)
        removed.set()

    monkeypatch.setattr(store, "keys_kept", sometimes)
    monkeypatch.setattr(data_folder, "remove_work_folder", noted)
    cleanup = CleanupThread(store, storage, data_folder, lambda _: False)
    thread = threading.Thread(target=cleanup.run)
    thread.start()
    try:
        data_folder.make_work_folder(over)
        assert removed.wait(PATIENCE)
    finally:
        cleanup.stop()
        thread.join(PATIENCE)
    assert data_folder.list_work_folders() == []
    assert not away


def test_a_failure_while_the_trash_is_emptied_does_not_end_the_thread(
    store, storage, ended, alice, clock, monkeypatch, data_folder
):
    lost = ended()
    store.trash(alice, [lost], clock.now + 60)
    clock.now += 60
    with monkeypatch.context() as broken:
        broken.setattr(store, "remove_trashed", _fail)
        _run(CleanupThread(store, storage, data_folder, lambda _: False))
    assert store.list_removals() == []
    _run(CleanupThread(store, storage, data_folder, lambda _: False))
    assert _everything(data_folder) == []


def _fail(_generation_id):
    raise StorageError("The disk is full.")
