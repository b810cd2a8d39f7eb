"""What nobody needs any more is removed while the app runs."""

import threading

import pytest
from sqlmodel import SQLModel, func, select

from tests.support.rows import result, upload_row
from videogen.core.config import AppConfig
from videogen.core.errors import StorageError
from videogen.core.security import Signer
from videogen.db.account_tables import TransferRow
from videogen.db.tables import DeviceRow, EventRow, SessionRow, ShareRow
from videogen.jobs import unused
from videogen.jobs.cleanup import CleanupThread
from videogen.jobs.unused import UnusedRemover
from videogen.live.hub import Hub
from videogen.services.sessions import CODE_SECONDS, SessionService
from videogen.services.visitor_limits import RateLimits
from videogen.store import Fence, Progress
from videogen.store.sessions import SEEN_SECONDS
from videogen.store.uploads import UploadStore

pytestmark = pytest.mark.databases("sqlite", "postgresql")

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def sessions(store):
    return SessionService(store, Signer(b"a secret of sixteen bytes"), Hub(lambda _event: b""), RateLimits(AppConfig()))


@pytest.fixture
def clean(store, storage):
    """Runs the remover; the same one each time, as the cleanup thread does."""
    remover = UnusedRemover(store, storage)
    return lambda: remover.run(lambda: False)


@pytest.fixture
def count(database):
    def rows(table):
        with database.read() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    return rows


@pytest.fixture
def render(store, queue, submit):
    """Ends generations after some progress: `render(alice)`, or with a failure."""

    def make(owner, steps=3, failure=False):
        row = submit(owner)
        queue.claim("worker")
        for step in range(1, steps + 1):
            store.record_progress(Fence(row.id, 1), step_of(step, steps))
        if failure:
            store.fail(Fence(row.id, 1), "engine_failed", "It failed.", retryable=True)
        else:
            store.complete(Fence(row.id, 1), result(row))
        return row.id

    return make


@pytest.fixture
def upload(store, storage):
    def make(owner, digest="digest"):
        row = upload_row(owner, digest, store.clock())
        storage.put(b"bytes", row.key)
        store.add_upload(row, 50)
        return row

    return make


def step_of(step, total):
    return Progress(
        stage="rendering", step=step, total_steps=total, percent=100.0 * step / total, message="", eta_seconds=None
    )


def types(store, owner, generation_id):
    """The types of the stored events of a generation, in order."""
    return [event.type for event in store.open_scope(owner, ("generation", generation_id), 0).backlog]


def test_an_expired_code_is_removed_and_a_valid_one_stays(sessions, store, alice, bob, clock, clean, count):
    sessions.create_code(alice, "")
    clock.now += CODE_SECONDS / 2
    valid = sessions.create_code(bob, "")
    clock.now += CODE_SECONDS / 2
    clean()
    assert count(TransferRow) == 1
    assert sessions.claim_code(valid.code, "here").session_id == bob


def test_an_expired_link_is_removed(store, alice, render, clock, clean, count):
    for expires in (clock.now + 60, None):
        store.put_share(alice, render(alice), {"expires_at": expires})
    clean()
    assert count(ShareRow) == 2
    clock.now += 60
    clean()
    assert count(ShareRow) == 1


def test_an_unused_upload_goes_after_a_day_with_its_file(
    store, alice, submit, upload, storage, data_folder, clock, clean
):
    used, idle = upload(alice, "a"), upload(alice, "b")
    submit(alice, input_file_id=used.id)
    storage.put(b"of a database that is newer than its backup", "uploads/fil_stray.png")
    clock.now += DAY
    clean()
    assert storage.exists(idle.key)
    clock.now += 1
    clean()
    assert [storage.exists(key) for key in (used.key, idle.key, "uploads/fil_stray.png")] == [True, False, True]
    assert store.get_upload(alice, used.id).id == used.id


def test_progress_goes_an_hour_after_the_end_and_the_last_event_stays(
    store, alice, bob, submit, queue, render, clock, clean
):
    done, failed = render(alice), render(bob, failure=True)
    before = types(store, alice, done)
    clock.now += HOUR
    later = render(alice)
    clean()
    assert types(store, alice, done) == before, "its hour is not over"
    clock.now += 1
    running = submit(alice)
    queue.claim("worker")
    store.record_progress(Fence(running.id, 1), step_of(1, 3))
    clock.now += HOUR - 2
    clean()
    assert types(store, alice, done) == ["render_result"]
    assert types(store, bob, failed) == ["error"]
    assert types(store, alice, later).count("render_progress") > 1
    clock.now += DAY
    clean()
    assert types(store, alice, later) == ["render_result"]
    assert len(types(store, alice, running.id)) > 1, "what runs keeps all of its events"


def test_a_replay_past_removed_progress_has_every_last_event_once_and_in_order(store, alice, render, clock, clean):
    ids = [render(alice) for _ in range(3)]
    every = store.open_scope(alice, ("session", alice), 0).backlog
    clock.now += HOUR + 1
    clean()
    for after in (0, every[0].id, every[4].id, every[-2].id):
        opening = store.open_scope(alice, ("session", alice), after)
        expected = [event.id for event in every if event.id > after and event.type == "render_result"]
        assert [event.id for event in opening.backlog] == expected
        assert opening.resumed_after == after, "the id was given, though its row is gone"
    last = every[-1].id
    assert store.open_scope(alice, ("generation", ids[-1]), last).backlog == [], "a reconnect gets 204"
    fresh = store.open_scope(alice, ("generation", ids[0]), None).backlog
    assert [event.type for event in fresh] == ["render_result"]


def test_the_number_of_a_removed_event_is_never_given_again(store, alice, render, clock, clean):
    render(alice)
    last = store.open_scope(alice, ("session", alice), 0).cursor
    clock.now += HOUR + 1
    clean()
    again = render(alice)
    assert min(event.id for event in store.open_scope(alice, ("generation", again), 0).backlog) > last


def test_much_progress_goes_in_small_batches(store, alice, render, clock, clean, count, monkeypatch):
    monkeypatch.setattr("videogen.store.unused.BATCH_ROWS", 4)
    monkeypatch.setattr("videogen.store.unused.BATCH_ENDED", 2)
    for _ in range(5):
        render(alice, steps=7)
    clock.now += HOUR + 1
    clean()
    assert count(EventRow) == 5


def test_a_session_that_owns_nothing_goes_a_day_after_its_last_use(sessions, store, clock, clean, count):
    token = sessions.new_token()
    session_id = sessions.save(token, "").session_id
    clock.now += DAY - 1
    clean()
    assert count(SessionRow) == 1
    sessions.find(token)  # used again
    clock.now += DAY - SEEN_SECONDS
    clean()
    assert count(SessionRow) == 1
    clock.now += DAY
    clean()
    assert (count(SessionRow), count(DeviceRow)) == (0, 0)
    # Its token reads as an empty session again, with the same id.
    assert sessions.find(token).session_id == session_id
    assert sessions.save(token, "").session_id == session_id


@pytest.mark.parametrize("owned", ["generation", "trashed", "upload", "code"])
def test_a_session_that_owns_something_stays(
    sessions, store, alice, render, upload, clock, clean, count, owned, monkeypatch
):
    if owned == "upload":
        monkeypatch.setattr(UploadStore, "remove_unused_uploads", lambda *_: [])
        upload(alice)
    elif owned == "code":
        monkeypatch.setattr(store, "remove_expired", lambda: None)
        sessions.create_code(alice, "")
    else:
        made = render(alice)
        if owned == "trashed":
            store.trash(alice, [made], clock.now + 90 * DAY)
    clock.now += 60 * DAY
    clean()
    assert count(SessionRow) == 1


def test_a_session_on_several_devices_stays_for_a_month(sessions, alice, clock, clean, count):
    sessions.claim_code(sessions.create_code(alice, "").code, "here")
    clock.now += unused.LINKED_SESSION_SECONDS - 1
    clean()
    assert count(DeviceRow) == 2
    clock.now += 2
    clean()
    assert (count(SessionRow), count(DeviceRow)) == (0, 0)


def test_the_last_use_is_written_at_most_once_an_hour_and_never_by_the_request(
    sessions, store, clock, clean, monkeypatch
):
    token = sessions.new_token()

    def seen():
        return sessions.list_devices(identity).items[0].last_seen_at.timestamp()

    sessions.save(token, "")
    identity, first = sessions.find(token), clock.now
    clock.now += SEEN_SECONDS - 1
    with monkeypatch.context() as busy:
        busy.setattr(store.database, "write", None)  # whoever writes fails
        sessions.find(token)
        assert seen() == first
        clock.now += 1
        sessions.find(token)
        assert seen() == clock.now
    store.write_uses()
    assert store.find_device(token).last_seen_at == clock.now


def test_a_fault_is_logged_and_the_rest_is_removed(store, alice, render, clock, clean, count, monkeypatch, caplog):
    render(alice)
    clock.now += HOUR + 1

    def full(*_):
        raise StorageError("The disk is full.")

    monkeypatch.setattr(store, "remove_unused_uploads", full)
    clean()
    assert count(EventRow) == 1
    assert "could not be removed: The disk is full." in caplog.text


def test_the_cleanup_thread_removes_while_it_runs(
    store, storage, data_folder, alice, render, clock, database, monkeypatch
):
    monkeypatch.setattr("videogen.jobs.cleanup.INTERVAL_SECONDS", 0.02)
    removed = threading.Event()
    remove = store.remove_progress

    def watched(after, before):
        following = remove(after, before)
        if following:
            removed.set()
        return following

    monkeypatch.setattr(store, "remove_progress", watched)
    cleanup = CleanupThread(store, storage, data_folder, lambda _: False)
    thread = threading.Thread(target=cleanup.run)
    thread.start()
    try:
        made = render(alice)
        clock.now += HOUR + 1
        assert removed.wait(20)
        assert types(store, alice, made) == ["render_result"]
    finally:
        cleanup.stop()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.databases("sqlite")
def test_rounds_of_use_leave_the_numbers_of_rows_as_at_the_start(
    sessions, store, alice, render, upload, clock, clean, database
):
    def numbers():
        with database.read() as session:
            tables = (table for table in SQLModel.metadata.sorted_tables if table.name != "runs")
            return {table.name: session.exec(select(func.count()).select_from(table)).one() for table in tables}

    render(alice)
    clock.now += 40 * DAY
    clean()
    start = numbers()
    for _ in range(3):
        for _ in range(5):
            token = sessions.new_token()
            session_id = sessions.save(token, "Firefox on Linux").session_id
            sessions.claim_code(sessions.create_code(session_id, "").code, "here")
            sessions.create_code(session_id, "")
            upload(session_id)
            made = render(session_id)
            store.put_share(session_id, made, {"expires_at": clock.now + 60})
            store.end_removals(store.delete_generation(session_id, made))
        clock.now += 40 * DAY
        clean()
        assert numbers() == start
