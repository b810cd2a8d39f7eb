"""A paused queue: nothing of that session begins, what has begun goes on, and everybody hears of it."""

import pytest

from tests.support.published import Published
from tests.support.rows import generation_row, project_row
from videogen.core.errors import LimitExceededError, NotFoundError, NotQueuedError
from videogen.store import Fence, Limits

pytestmark = pytest.mark.databases("sqlite", "postgresql")


def _ids(rows):
    return [row.id for row in rows]


def test_a_paused_queue_is_not_served_and_another_session_is(store, submit, queue, alice, bob):
    mine = _ids(submit.project(alice, 2))
    store.pause_queue(alice, paused=True)
    theirs = submit(bob).id
    assert queue.claim("worker").generation_id == theirs
    assert queue.claim("worker") is None
    store.pause_queue(alice, paused=False)
    assert [queue.claim("worker").generation_id for _ in mine] == mine


def test_positions_and_waits_are_unknown_while_paused_and_skip_what_is_paused(store, submit, alice, bob):
    first, second = _ids(submit.project(alice, 2))
    other = submit(bob).id
    store.pause_queue(alice, paused=True)
    for one in (first, second):
        row = store.get_generation(alice, one)
        assert (row.stage, row.queue_position, row.expected_wait_seconds, row.eta_seconds) == ("paused", *[None] * 3)
    assert store.get_generation(bob, other).queue_position == 1
    store.pause_queue(alice, paused=False)
    row = store.get_generation(alice, second)
    assert (row.stage, row.queue_position) == ("queued", 3)


def test_what_is_submitted_while_paused_waits_and_its_first_event_says_so(store, submit, queue, alice, database):
    store.pause_queue(alice, paused=True)
    events = Published(database)
    row = submit(alice)
    assert [(event.generation_id, event.data.stage) for event in events] == [(row.id, "paused")]
    assert queue.claim("worker") is None


def test_pausing_publishes_one_event_for_each_and_again_none(store, submit, alice, database):
    rows = _ids(submit.project(alice, 3))
    events = Published(database)
    for paused in (True, True, False, False):
        store.pause_queue(alice, paused=paused)
    assert [event.generation_id for event in events] == [*rows, *rows]
    assert [event.data.stage for event in events] == ["paused"] * 3 + ["queued"] * 3


def test_what_has_begun_goes_on_after_its_renderer_was_lost(store, submit, queue, alice):
    begun, waiting = _ids(submit.project(alice, 2))
    lease = queue.claim("worker")
    store.pause_queue(alice, paused=True)
    queue.lose(lease, "It was killed.")
    assert queue.claim("worker").generation_id == begun
    assert queue.claim("worker") is None
    assert store.get_generation(alice, waiting).stage == "paused"


def test_a_full_disk_does_not_hide_that_a_queue_is_paused(store, submit, alice, bob):
    mine, theirs = submit(alice).id, submit(bob).id
    store.pause_queue(alice, paused=True)
    store.hold_queue("no space")
    assert [store.get_generation(*one).stage for one in ((alice, mine), (bob, theirs))] == ["paused", "waiting"]
    store.pause_queue(alice, paused=False)
    store.release_queue()
    assert store.get_generation(alice, mine).stage == "queued"


def test_what_is_paused_does_not_fill_the_queue_for_others(store, submit, alice, bob):
    submit.project(alice, 2)

    def submit_of_bob():
        project = project_row(bob, store.clock())
        return store.create_project(project, [generation_row(project)], Limits(10, 100, 2))

    with pytest.raises(LimitExceededError):
        submit_of_bob()
    store.pause_queue(alice, paused=True)
    assert submit_of_bob()[1]


def test_a_move_while_paused_changes_the_order_and_is_published(store, submit, queue, alice, database):
    a, b, c = _ids(submit.project(alice, 3))
    store.pause_queue(alice, paused=True)
    events = Published(database)
    store.move_generation(alice, c, a)
    assert [event.generation_id for event in events] == [c]
    assert _ids(store.own_queue(alice)[1]) == [c, a, b]
    store.pause_queue(alice, paused=False)
    assert [queue.claim("worker").generation_id for _ in range(3)] == [c, a, b]


def test_the_own_queue_has_what_runs_first(store, submit, queue, alice, bob):
    a, b, c = _ids(submit.project(alice, 3))
    submit(bob)
    queue.claim("worker")
    store.move_generation(alice, c, b)
    assert store.own_queue(alice) == (False, [store.get_generation(alice, one) for one in (a, c, b)])


def test_an_edit_of_another_recipe_changes_nothing(store, submit, alice, bob, queue):
    row = submit(alice)
    assert store.edit_generation(alice, row.id, {"prompt": "fog"}, "another") is None
    with pytest.raises(NotFoundError):
        store.edit_generation(bob, row.id, {"prompt": "fog"}, row.recipe_hash)
    queue.claim("worker")
    with pytest.raises(NotQueuedError):
        store.edit_generation(alice, row.id, {"prompt": "fog"}, row.recipe_hash)
    assert store.get_generation(alice, row.id).prompt == row.prompt


def test_an_edit_is_published_with_its_recipe_and_forgets_the_checkpoint(store, submit, alice, queue, database):
    row = submit(alice)
    lease = queue.claim("worker")
    store.record_checkpoint(Fence(lease.generation_id, lease.attempt), {"step": 1})
    queue.lose(lease, "Gone.", count=False)
    events = Published(database)
    changes = {"prompt": "fog", "recipe_hash": "new"}
    assert store.edit_generation(alice, row.id, changes, row.recipe_hash).search_text == "fog"
    assert [event.data.recipe_hash for event in events] == ["new"]
    again = queue.claim("worker")
    assert (again.generation_id, again.checkpoint) == (row.id, None)
