import pytest
from sqlalchemy import text

from tests.support.published import Published
from tests.support.rows import file_row, result
from videogen.core.errors import StaleWriteError
from videogen.store import Fence, Progress

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def running(store, queue, submit, alice):
    """A generation in its first attempt."""
    row = submit(alice)
    queue.claim("worker")
    return store.get_generation(alice, row.id)


@pytest.fixture
def fence(running):
    return Fence(running.id, 1)


@pytest.fixture
def events(database, running):
    return Published(database)


def _progress(percent, step=1, eta=None):
    return Progress(percent, "rendering", step, 10, "frame", eta)


def test_progress_is_stored_and_published(store, alice, running, fence, events, clock):
    clock.now += 3
    store.record_progress(fence, _progress(40.0, 4, 2.5))
    row = store.get_generation(alice, running.id)
    assert (row.progress, row.stage, row.step, row.total_steps, row.eta_seconds) == (40.0, "rendering", 4, 10, 2.5)
    assert row.updated_at == clock.now
    (event,) = events
    assert (event.type, event.data.progress, event.data.step) == ("render_progress", 40.0, 4)


def test_progress_never_falls_within_an_attempt(store, alice, running, fence, events):
    for percent in (10, 40, 30, 40, 50, 0):
        store.record_progress(fence, _progress(float(percent)))
    assert [event.data.progress for event in events] == [10, 40, 40, 40, 50, 50]
    assert store.get_generation(alice, running.id).progress == 50


def test_progress_is_at_most_100(store, alice, running, fence, events):
    store.record_progress(fence, _progress(250.0))
    assert store.get_generation(alice, running.id).progress == 100


def test_a_new_attempt_shows_its_own_progress(store, queue, alice, running, fence, clock, events):
    store.record_progress(fence, _progress(80.0, 8))
    clock.now += 11
    queue.claim("another worker")
    store.record_progress(Fence(running.id, 2), _progress(10.0, 1))
    assert events[-1].data.attempt == 2
    assert events[-1].data.progress == 10.0, "not the progress of the lost attempt"


def test_a_checkpoint_is_stored_without_an_event(store, alice, running, fence, events):
    store.record_checkpoint(fence, {"step": 8})
    assert store.get_generation(alice, running.id).checkpoint == {"step": 8}
    assert events == []


def test_an_empty_checkpoint_makes_the_next_attempt_begin_at_the_start(store, queue, alice, running, fence, clock):
    store.record_progress(fence, _progress(80.0, 8))
    store.record_checkpoint(fence, {"step": 8})
    store.record_checkpoint(fence, {})
    clock.now += 11
    lease = queue.claim("another worker")
    row = store.get_generation(alice, running.id)
    assert (lease.checkpoint, row.progress, row.step) == (None, 0.0, 0)


def test_a_preview_replaces_the_one_before_under_a_new_version(store, alice, running, fence, events):
    preview = file_row(running, "preview")
    store.record_preview(fence, preview.model_copy())
    store.record_preview(fence, preview.model_copy(update={"size_bytes": 99}))
    row = store.get_generation(alice, running.id)
    assert (row.preview_file_id, row.preview_version) == (preview.id, 2)
    assert store.get_media(preview.id)[0].size_bytes == 99
    assert [event.data.preview_version for event in events] == [1, 2]


def test_a_result_is_one_transaction_of_status_files_and_event(store, database, alice, running, fence):
    done, seen = result(running), []
    preview = file_row(running, "preview")
    store.record_preview(fence, preview)

    def listener(events):
        row = store.get_generation(alice, running.id)
        seen.append(([event.type for event in events], row.status, row.file_id, store.get_media(done.video.id)[0].kind))

    database.listen(listener)
    settled = Published(database)
    store.complete(fence, done)
    assert len(settled) == 1
    assert seen == [(["render_result"], "completed", done.video.id, "video")]
    row = store.get_generation(alice, running.id)
    assert (row.progress, row.size_bytes, row.poster_file_id) == (100.0, 1234, done.poster.id)
    assert (row.preview_file_id, row.checkpoint, row.lease_owner) == (None, None, None)
    with database.read() as session:
        kinds = session.connection().execute(text("SELECT kind FROM files ORDER BY kind")).scalars().all()
    assert kinds == ["poster", "preview", "video"]


def test_a_result_that_fails_half_way_changes_nothing(store, database, alice, running, fence, events):
    done = result(running)
    done.poster.generation_id = "gen_none"
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        store.complete(fence, done)
    assert store.get_generation(alice, running.id) == running
    assert events == []
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM files")).scalar() == 0


def test_a_result_event_has_the_properties_of_the_file(store, running, fence, events):
    done = result(running)
    store.complete(fence, done)
    data = events[0].data
    assert (data.width, data.height, data.fps, data.duration_seconds) == (64, 64, 8, 0.5)
    assert (data.size_bytes, data.file_id) == (1234, done.video.id)


def test_a_failure_is_stored_with_code_message_and_retryable(store, alice, running, fence, events):
    store.fail(fence, "busy", "The model is busy.", retryable=True)
    row = store.get_generation(alice, running.id)
    assert (row.status, row.error_code, row.error_message, row.error_retryable) == (
        "failed",
        "busy",
        "The model is busy.",
        True,
    )
    (event,) = events
    assert event.type == "error"
    assert (event.data.code, event.data.message, event.data.retryable) == ("busy", "The model is busy.", True)


def test_the_code_cancelled_has_its_own_status(store, alice, running, fence, events):
    store.fail(fence, "cancelled", "Cancelled.", retryable=True)
    assert store.get_generation(alice, running.id).status == "cancelled"
    assert [(event.type, event.data.code) for event in events] == [("error", "cancelled")]


WRITES = {
    "progress": lambda store, fence, row: store.record_progress(fence, _progress(50.0)),
    "preview": lambda store, fence, row: store.record_preview(fence, file_row(row, "preview")),
    "checkpoint": lambda store, fence, row: store.record_checkpoint(fence, {"step": 1}),
    "complete": lambda store, fence, row: store.complete(fence, result(row)),
    "fail": lambda store, fence, row: store.fail(fence, "broken", "", retryable=False),
    "cancelled": lambda store, fence, row: store.fail(fence, "cancelled", "", retryable=False),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_worker_that_lost_its_lease_writes_nothing(store, queue, database, alice, running, fence, clock, write):
    clock.now += 11
    assert queue.claim("another worker").attempt == 2
    before, published = store.get_generation(alice, running.id), Published(database)
    with pytest.raises(StaleWriteError):
        WRITES[write](store, fence, running)
    assert store.get_generation(alice, running.id) == before
    assert published == []
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM files")).scalar() == 0


@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_written_after_the_end(store, database, alice, running, fence, write):
    store.fail(fence, "broken", "It broke.", retryable=False)
    before, published = store.get_generation(alice, running.id), Published(database)
    with pytest.raises(StaleWriteError):
        WRITES[write](store, fence, running)
    assert store.get_generation(alice, running.id) == before
    assert published == []


@pytest.mark.parametrize(
    "write",
    [
        lambda store, fence, row: store.record_preview(fence, file_row(row, "preview")),
        lambda store, fence, row: store.complete(fence, result(row)),
    ],
)
def test_a_write_to_a_deleted_generation_is_refused(database, store, alice, running, fence, events, write):
    store.fail(fence, "cancelled", "", retryable=True)
    store.delete_generation(alice, running.id)
    published = list(events)
    with pytest.raises(StaleWriteError):
        write(store, fence, running)
    assert events == published
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM files")).scalar() == 0
