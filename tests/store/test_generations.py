from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from tests.support.published import Published
from tests.support.rows import PLENTY, fields, file_row, generation_row, project_row, result
from videogen.core.errors import IdempotencyConflictError, LimitExceededError, NotFoundError, NotTerminalError
from videogen.schemas.status import Status
from videogen.store import Fence, Filter, Limits

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ANY = Filter()


def _create(store, session_id, number=1, limits=PLENTY, **project):
    made = project_row(session_id, **project)
    return store.create_project(made, [generation_row(made) for _ in range(number)], limits)


def _count(database, table):
    with database.read() as session:
        return session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar()


def _pages(store, session_id, wanted=ANY, limit=3, between=lambda: None):
    before, ids = None, []
    while True:
        rows, before = store.list_generations(session_id, wanted, before, limit)
        ids += [row.id for row in rows]
        if before is None:
            return ids
        assert len(rows) == limit
        assert len(ids) < 1000, "the pages go in a circle"
        between()


# What is not mine does not exist.


@pytest.mark.parametrize("which", ["another session's", "unknown"])
def test_a_generation_of_another_session_is_not_found(store, submit, alice, bob, which):
    row = submit(alice)
    wanted = row.id if which == "another session's" else "gen_none"
    calls = [
        lambda: store.get_generation(bob, wanted),
        lambda: store.patch_generation(bob, wanted, {"title": "mine now"}),
        lambda: store.cancel_generation(bob, wanted),
        lambda: store.delete_generation(bob, wanted),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            call()
    assert store.get_generation(alice, row.id) == row


def test_a_list_has_only_generations_of_the_session(store, submit, alice, bob):
    mine, _ = submit(alice), submit(bob)
    assert _pages(store, alice) == [mine.id]


def test_a_submit_of_an_unknown_session_is_not_found_and_stores_nothing(store, database):
    with pytest.raises(NotFoundError):
        _create(store, "ses_none")
    assert _count(database, "projects") == 0


# Submitting


def test_a_submit_is_stored_queued_and_published_with_its_position(store, database, alice):
    events = Published(database)
    rows, new = _create(store, alice, 3)
    assert new
    stored = [store.get_generation(alice, row.id) for row in rows]
    assert [(row.id, row.status, row.queue_position) for row in stored] == [
        (row.id, "queued", place) for place, row in enumerate(rows, 1)
    ]
    assert [(event.generation_id, event.data.queue_position) for event in events] == [
        (row.id, place) for place, row in enumerate(rows, 1)
    ]


def test_the_same_key_and_body_return_the_first_project(store, database, alice):
    first, _ = _create(store, alice, 2, key="k")
    again, new = _create(store, alice, 2, key="k")
    assert not new
    assert [row.id for row in again] == [row.id for row in first]
    assert _count(database, "generations") == 2


def test_the_same_key_with_another_body_is_a_conflict_and_changes_nothing(store, database, alice):
    _create(store, alice, key="k", body="one")
    with pytest.raises(IdempotencyConflictError):
        _create(store, alice, key="k", body="two")
    assert _count(database, "generations") == 1


def test_keys_of_two_sessions_are_independent(store, alice, bob):
    assert _create(store, alice, key="k", body="one")[1]
    assert _create(store, bob, key="k", body="two")[1]


def test_each_submit_without_a_key_is_new(store, alice):
    assert all(_create(store, alice)[1] for _ in range(3))


def test_a_known_key_returns_its_project_even_when_the_limit_is_reached(store, alice):
    only_one = Limits(per_session=1, per_address=1000, queue=1)
    first, _ = _create(store, alice, key="k", limits=only_one)
    again, new = _create(store, alice, key="k", limits=only_one)
    assert (again[0].id, new) == (first[0].id, False)


def test_many_submits_with_one_key_at_once_make_one_project(store, database, alice):
    barrier = Barrier(8)

    def submit(_):
        barrier.wait()
        rows, new = _create(store, alice, 2, key="k")
        return tuple(row.id for row in rows), new

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(submit, range(8)))
    assert len({ids for ids, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1
    assert _count(database, "generations") == 2


def test_a_submit_over_the_limit_of_the_session_is_refused_as_a_whole(store, database, alice, bob):
    limits = Limits(per_session=3, per_address=1000, queue=100)
    _create(store, alice, 2, limits)
    with pytest.raises(LimitExceededError, match=r"At most 3 .* 2 are"):
        _create(store, alice, 2, limits)
    assert _count(database, "generations") == 2
    _create(store, alice, 1, limits)
    _create(store, bob, 3, limits)


def test_running_generations_count_for_the_limit_and_ended_ones_do_not(store, queue, alice):
    limits = Limits(per_session=1, per_address=1000, queue=100)
    _create(store, alice, 1, limits)
    lease = queue.claim("worker")
    with pytest.raises(LimitExceededError):
        _create(store, alice, 1, limits)
    store.fail(Fence(lease.generation_id, 1), "broken", "It broke.", retryable=False)
    assert _create(store, alice, 1, limits)[1]


def test_a_submit_to_a_full_queue_is_refused_with_a_longer_wait(store, queue, alice, bob):
    limits = Limits(per_session=100, per_address=1000, queue=2)
    _create(store, alice, 2, limits)
    with pytest.raises(LimitExceededError, match="2 of 2 places are taken") as caught:
        _create(store, bob, 1, limits)
    assert caught.value.retry_after == 30
    queue.claim("worker")
    assert _create(store, bob, 1, limits)[1]


def test_concurrent_submits_cannot_exceed_the_limit_together(store, database, alice):
    limits, barrier = Limits(per_session=3, per_address=1000, queue=100), Barrier(8)

    def submit(_):
        barrier.wait()
        try:
            return _create(store, alice, 1, limits)[1]
        except LimitExceededError:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(submit, range(8))) == 3
    assert _count(database, "generations") == 3


# The history


@pytest.mark.parametrize("limit", [1, 3, 4, 10, 11, 100])
def test_pages_have_every_generation_once_newest_first(store, submit, alice, limit):
    ids = [row.id for row in submit.project(alice, 4) + submit.project(alice, 6)]
    assert _pages(store, alice, limit=limit) == ids[::-1]


def test_pages_are_stable_while_generations_are_added_and_deleted(store, submit, alice):
    ids = [row.id for row in submit.project(alice, 10)]
    for generation_id in ids:
        store.cancel_generation(alice, generation_id)
    shown = iter(ids[::-1])

    def meanwhile():
        submit(alice)
        store.delete_generation(alice, next(shown))

    assert _pages(store, alice, between=meanwhile) == ids[::-1]


def test_the_list_takes_filters_alone_and_together(store, submit, alice):
    sea = submit(alice, prompt="Ocean at sunset")
    city = submit(alice, prompt="City", title="100% rain_drops", engine="other", favorite=True)
    still = submit(alice, prompt="ocean", type="image")
    store.cancel_generation(alice, still.id)

    def found(**wanted):
        return _pages(store, alice, Filter(**wanted))

    assert found(status=(Status.CANCELLED,)) == [still.id]
    assert found(status=(Status.QUEUED, Status.CANCELLED)) == [still.id, city.id, sea.id]
    assert found(engine="other") == [city.id]
    assert found(type="image") == [still.id]
    assert found(favorite=True) == [city.id]
    assert found(favorite=False) == [still.id, sea.id]
    assert found(text="OCEAN") == [still.id, sea.id]
    assert found(text="sunset ocean") == [sea.id]
    assert found(text="rain") == [city.id]
    assert found(text="100%") == [city.id]
    assert found(text="%") == [city.id], "what SQL takes for a wildcard is a letter here"
    assert found(text="_drops") == [city.id]
    assert found(text="nothing like it") == []
    assert found(text="ocean", type="image", status=(Status.QUEUED,)) == []


# Title and favourite


def test_a_patch_changes_its_fields_without_an_event(store, database, submit, alice):
    row, events = submit(alice), Published(database)
    store.patch_generation(alice, row.id, {"title": "Mine"})
    store.patch_generation(alice, row.id, {"favorite": True})
    after = store.get_generation(alice, row.id)
    assert (after.title, after.favorite, after.status) == ("Mine", True, "queued")
    assert events == []


# Cancelling


def test_a_queued_generation_is_cancelled_at_once(store, database, submit, alice):
    row, events = submit(alice), Published(database)
    cancelled, changed = store.cancel_generation(alice, row.id)
    assert changed
    assert (cancelled.status, cancelled.error_code, cancelled.attempt) == ("cancelled", "cancelled", 0)
    assert fields(store.get_generation(alice, row.id)) == fields(cancelled)
    assert [(event.type, event.data.code) for event in events] == [("error", "cancelled")]


def test_generations_behind_a_cancelled_one_get_an_event_with_their_new_position(store, database, submit, alice):
    rows, events = submit.project(alice, 3), Published(database)
    store.cancel_generation(alice, rows[0].id)
    assert [store.get_generation(alice, row.id).queue_position for row in rows] == [None, 1, 2]
    assert [(event.generation_id, event.data.queue_position) for event in events[1:]] == [
        (rows[1].id, 1),
        (rows[2].id, 2),
    ]


def test_a_cancel_of_a_running_generation_is_stored_until_its_renderer_confirms(store, queue, submit, alice):
    row = submit(alice)
    queue.claim("worker")
    assert not store.cancel_requested(row.id)
    running, changed = store.cancel_generation(alice, row.id)
    assert (running.status, changed) == ("processing", True)
    assert store.cancel_requested(row.id)


def test_cancelling_again_changes_nothing_in_any_status(store, queue, submit, alice):
    row = submit(alice)
    queue.claim("worker")
    store.cancel_generation(alice, row.id)
    before = store.get_generation(alice, row.id)
    assert store.cancel_generation(alice, row.id) == (before, False)
    store.complete(Fence(row.id, 1), result(row))
    before = store.get_generation(alice, row.id)
    assert store.cancel_generation(alice, row.id) == (before, False)
    assert before.status == "completed"


# Removing


def test_a_delete_removes_events_files_and_the_empty_project(store, database, queue, submit, alice):
    row = submit(alice)
    queue.claim("worker")
    done = result(row)
    store.complete(Fence(row.id, 1), done)
    assert store.get_media(done.video.id)[0].generation_id == row.id
    store.delete_generation(alice, row.id)
    assert [_count(database, table) for table in ("generations", "events", "files", "projects")] == [0, 0, 0, 0]
    with pytest.raises(NotFoundError):
        store.get_media(done.video.id)


def test_a_delete_keeps_the_rest_of_the_project(store, submit, alice):
    first, second = submit.project(alice, 2)
    store.cancel_generation(alice, first.id)
    store.delete_generation(alice, first.id)
    assert store.get_generation(alice, second.id).project_id == first.project_id


def test_a_queued_or_running_generation_cannot_be_deleted(store, queue, submit, alice):
    row = submit(alice)
    with pytest.raises(NotTerminalError):
        store.delete_generation(alice, row.id)
    queue.claim("worker")
    with pytest.raises(NotTerminalError):
        store.delete_generation(alice, row.id)
    assert store.get_generation(alice, row.id).status == "processing"


def test_an_unknown_file_is_not_found(store, submit, alice):
    with pytest.raises(NotFoundError):
        store.get_media(file_row(submit(alice)).id)
