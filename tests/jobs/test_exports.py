"""The worker of exports: what a stop, a killed child, a full disk and a deletion leave; and whose turn it is."""

import errno
import threading
from contextlib import contextmanager

import pytest
from sqlmodel import select

from tests.support.rows import result
from videogen.core.errors import LimitExceededError, StorageAwayError
from videogen.core.in_use import InUse
from videogen.db.export_table import ExportRow
from videogen.db.tables import FileRow
from videogen.jobs import exports
from videogen.jobs.disk_guard import WAITING
from videogen.jobs.exports import ExportWorker
from videogen.jobs.settings import WorkerSettings
from videogen.media.export import MOST_BYTES
from videogen.store import Store
from videogen.store.exports import MAX_ACTIVE

LEASE = 10.0
MADE = b"a file in another format"


class Child:
    """In the place of the process that makes files: does what it is told to, once for each call."""

    def __init__(self):
        self.does, self.closed, self.made = [], 0, []

    def __call__(self, task):
        try:
            yield "0/10"
            action = self.does.pop(0) if self.does else None
            if callable(action):
                action()
            yield None
            yield "5/10"
            if action == "dies":
                return
            if isinstance(action, OSError):
                yield f"{action.errno} {action.strerror}"
                return
            self.made.append(task)
            with open(task.target, "wb") as file:
                file.write(MADE)
            yield "end"
        finally:
            self.closed += 1


@pytest.fixture
def child(monkeypatch):
    child = Child()
    monkeypatch.setattr(exports, "follow_export", child)
    monkeypatch.setattr(exports, "PROGRESS_SECONDS", 0.0)
    return child


@pytest.fixture
def worker(store, storage, data_folder, clock, child):
    worker = ExportWorker(store, storage, data_folder, InUse(clock), WorkerSettings(1, LEASE, max_attempts=3))
    worker.heard = []
    worker.publish = lambda changed: worker.heard.extend((one.row.status, one.row.progress) for one in changed)
    return worker


@pytest.fixture
def finished(submit, queue, storage):
    """Makes finished generations with their files."""

    def finish(session_id):
        row = submit(session_id)
        made = result(row)
        for file in (made.video, made.poster):
            storage.put(b"x" * 10, file.key)
        queue.finish(queue.claim("worker"), made)
        return row.id

    return finish


@pytest.fixture
def asked(store, finished, alice):
    """An export that waits: its id."""
    return store.request_export(alice, finished(alice), "gif")[0].row.id


def state(store, session_id, export_id):
    row = store.get_export(session_id, export_id).row
    return row.status, row.attempt


def files(storage):
    return [file.key for file in storage.list() if file.key.endswith(".gif")]


def test_one_after_the_other_is_made_and_each_change_is_published_after_it_is_stored(
    worker, store, storage, alice, asked
):
    assert worker._next() == 0.0
    export = store.get_export(alice, asked).row
    assert (export.status, export.progress, export.size_bytes) == ("completed", 100.0, len(MADE))
    with storage.open(files(storage)[0]) as file:
        assert file.read() == MADE
    assert worker.heard[0] == ("processing", 0.0)
    assert worker.heard[-1] == ("completed", 100.0)
    progress = [percent for _, percent in worker.heard]
    assert progress == sorted(progress)
    assert 50.0 in progress
    assert worker._next() > 0, "nothing is left"
    assert not worker._work.exists()


def test_a_killed_child_is_replaced(worker, store, storage, child, alice, asked):
    child.does = ["dies"]
    worker._next()
    assert state(store, alice, asked) == ("queued", 1)
    worker._next()
    assert state(store, alice, asked) == ("completed", 2)
    assert len(files(storage)) == 1


def test_what_kills_each_child_fails_in_the_end_and_can_be_asked_for_again(worker, store, child, alice, asked):
    child.does = ["dies"] * 3
    for _ in range(3):
        worker._next()
    row = store.get_export(alice, asked).row
    assert (row.status, row.error_code) == ("failed", "export_failed")
    assert "has ended 3 times" in row.error_message
    assert worker._next() > 0
    again, queued = store.request_export(alice, row.generation_id, "gif")
    assert (queued, again.row.id, again.row.error_message) == (True, asked, None)
    worker._next()
    assert state(store, alice, asked)[0] == "completed"


def test_what_the_last_process_was_making_is_made_again(worker, store, storage, alice, asked):
    job = store.claim_export(LEASE)
    storage.put(MADE, job.key(job.row.attempt))  # it died between the file and its row
    assert store.claim_export(LEASE) is None, "its lease holds"
    assert store.end_exports_of_dead() == 1
    worker._next()
    assert state(store, alice, asked) == ("completed", 2)
    assert files(storage) == [job.key(2)]


def test_a_start_beside_others_takes_nothing_from_them_and_makes_what_waits(
    worker, store, storage, finished, alice, asked, monkeypatch
):
    """Several processes use the storage, and this one renders nothing."""
    monkeypatch.setattr(type(storage), "is_shared", True)
    taken = store.claim_export(LEASE)
    worker._settings = WorkerSettings(0, LEASE)
    made = threading.Event()
    worker.publish = lambda changed: any(one.row.status == "completed" for one in changed) and made.set()
    worker.start()
    try:
        other = store.request_export(alice, finished(alice), "gif")[0].row.id
        assert made.wait(20)
    finally:
        worker.stop()
    assert state(store, alice, taken.row.id) == ("processing", 1)
    assert state(store, alice, other)[0] == "completed"


def test_one_that_a_bucket_does_not_take_now_is_made_again_later(worker, store, storage, alice, asked, monkeypatch):
    with monkeypatch.context() as away:
        away.setattr(storage, "put", raise_away)
        with pytest.raises(StorageAwayError):
            worker._next()
    assert state(store, alice, asked) == ("queued", 1)
    worker._next()
    assert state(store, alice, asked) == ("completed", 2)


def raise_away(*_arguments, **_options):
    raise StorageAwayError


def test_what_a_stop_interrupts_is_queued_at_once(worker, store, child, alice, asked):
    child.does = [worker.stop]
    worker._next()
    assert state(store, alice, asked) == ("queued", 1)


@pytest.mark.databases("postgresql")
def test_a_lease_is_in_the_clock_that_all_hosts_have_in_common(store, clock, alice, asked):
    job = store.claim_export(LEASE)
    ahead = Store(store.database, lambda: clock.now + 3600)
    assert ahead.claim_export(LEASE) is None
    assert state(store, alice, job.row.id) == ("processing", 1)


def test_a_worker_that_has_lost_its_lease_changes_nothing(worker, store, storage, child, clock, alice, asked):
    def others_take_it():
        clock.now += LEASE + 1
        assert store.claim_export(LEASE).row.attempt == 2

    child.does = [others_take_it]
    worker._next()
    assert state(store, alice, asked) == ("processing", 2)
    assert (child.closed, child.made, files(storage)) == (1, [], [])


@pytest.mark.parametrize("call", ["put", "local_copy"])
def test_a_bucket_that_takes_longer_than_a_lease_loses_none(
    worker, store, storage, clock, alice, asked, monkeypatch, call
):
    """Several processes use the storage: another one would make the export anew, and again lose it."""
    worker._settings, act, renew = WorkerSettings(1, 0.1), getattr(storage, call), store.update_export
    renewed, others = threading.Event(), []

    def slowly(*arguments):
        clock.now += 1
        renewed.clear()
        assert renewed.wait(20)
        others.append(store.claim_export(LEASE))
        return act(*arguments)

    monkeypatch.setattr(store, "update_export", lambda *values, **more: (renew(*values, **more), renewed.set())[0])
    monkeypatch.setattr(storage, call, slowly)
    monkeypatch.setattr(type(storage), "is_shared", True)
    worker._next()
    assert (state(store, alice, asked), others) == (("completed", 1), [None])


def test_one_that_is_deleted_stops(worker, store, storage, child, database, alice, asked):
    child.does = [lambda: store.delete_export(alice, asked)]
    worker._next()
    assert (child.closed, child.made, files(storage)) == (1, [], [])
    with database.read() as session:
        assert session.exec(select(ExportRow)).all() == []
        assert session.exec(select(FileRow).where(FileRow.kind == "export")).all() == []


def test_one_whose_generation_is_deleted_stops(worker, store, storage, child, alice, asked):
    generation_id = store.get_export(alice, asked).row.generation_id
    child.does = [lambda: store.delete_generation(alice, generation_id)]
    worker._next()
    assert (child.made, files(storage)) == ([], [])


def test_cleanup_leaves_the_file_that_has_no_row_yet(store, alice, asked):
    job = store.claim_export(LEASE)
    assert job.key(1) in store.keys_kept(job.row.generation_id)


@contextmanager
def reserve(data_folder, size):
    before, data_folder.reserve_bytes = data_folder.reserve_bytes, size
    yield
    data_folder.reserve_bytes = before


def test_without_free_space_it_waits_and_says_why(worker, store, data_folder, alice, asked):
    with reserve(data_folder, 10**15):
        assert 0 < worker._next() <= 1
        row = store.get_export(alice, asked).row
        assert (row.status, row.message) == ("queued", WAITING)
    worker._next()
    assert state(store, alice, asked)[0] == "completed"
    assert store.get_export(alice, asked).row.message == ""


def test_a_disk_that_becomes_full_ends_it_with_what_to_do(worker, store, data_folder, child, alice, asked):
    def fill():
        data_folder.reserve_bytes = 10**15

    child.does = [fill]
    worker._next()
    row = store.get_export(alice, asked).row
    assert (row.status, row.error_code) == ("failed", "storage_fault")
    assert "Free some space" in row.error_message
    assert not worker._work.exists()


def test_what_cannot_fit_is_not_begun(worker, store, data_folder, child, finished, alice, monkeypatch):
    asked = store.request_export(alice, finished(alice), "png")[0].row
    monkeypatch.setattr(data_folder, "free_bytes", lambda: data_folder.reserve_bytes + 1000)
    worker._next()
    row = store.get_export(alice, asked.id).row
    assert row.error_code == "storage_fault"
    assert "this export needs about" in row.error_message
    assert child.closed == 0


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "storage_fault", "No space left"),
        (OSError(errno.EFBIG, "File too large"), "export_failed", f"larger than {MOST_BYTES // 10**9} GB"),
        (OSError(0, "a file that cannot be read to its end"), "export_failed", "cannot be read"),
    ],
)
def test_what_the_child_reports_is_one_line(worker, store, child, alice, asked, problem, code, words):
    child.does = [problem]
    worker._next()
    row = store.get_export(alice, asked).row
    assert (row.status, row.error_code, words in row.error_message) == ("failed", code, True), row.error_message


def test_a_video_whose_file_is_gone_is_said_to_be(worker, store, storage, alice, asked):
    generation = store.get_generation(alice, store.get_export(alice, asked).row.generation_id)
    storage.delete(next(iter(store.file_keys([generation.file_id]).values())))
    worker._next()
    assert store.get_export(alice, asked).row.error_code == "file_missing"


def test_while_the_queue_is_paused_nothing_begins(worker, store, asked, monkeypatch):
    monkeypatch.setattr(store, "is_queue_held", lambda: True)
    assert worker._next() > 0
    assert worker.heard == []


def test_the_session_that_was_served_longest_ago_is_next(store, finished, clock, alice, bob):
    waiting = [store.request_export(alice, finished(alice), "gif")[0].row.id for _ in range(2)]
    waiting.append(store.request_export(bob, finished(bob), "gif")[0].row.id)
    order = []
    for _ in range(3):
        clock.now += 1
        order.append(store.claim_export(LEASE).row.id)
    assert order == [waiting[0], waiting[2], waiting[1]]


def test_one_session_may_have_only_so_many_at_once(store, finished, alice, bob):
    for _ in range(MAX_ACTIVE):
        store.request_export(alice, finished(alice), "gif")
    with pytest.raises(LimitExceededError) as refused:
        store.request_export(alice, finished(alice), "gif")
    assert refused.value.limit.name == "exports_per_session"
    assert store.request_export(bob, finished(bob), "gif")[1]


def test_a_start_forgets_those_whose_files_are_gone(worker, store, storage, finished, alice, asked):
    kept = store.request_export(alice, finished(alice), "gif")[0].row.id
    worker._next()
    worker._next()
    gone = next(key for name, key in store.made_exports() if name == asked)
    storage.delete(gone)
    worker.start()
    worker.stop()
    assert [name for name, _ in store.made_exports()] == [kept]
