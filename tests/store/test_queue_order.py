"""Owners may change the order of their own queued generations at any time, without effect on other sessions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.published import Published
from videogen.core.errors import NotFoundError, NotQueuedError
from videogen.store import Fence, Filter

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def queued(store):
    """Reads the ids of all queued generations of sessions, by their published position."""

    def read(*sessions):
        rows = []
        for session in sessions:
            found = store.list_generations(session, Filter(status=("queued",)), None, 100)[0]
            rows += [(row.queue_position, row.id) for row in found]
        assert [place for place, _ in sorted(rows)] == list(range(1, len(rows) + 1))
        return [name for _, name in sorted(rows)]

    return read


def _ids(rows):
    return [row.id for row in rows]


def test_a_generation_can_be_moved_before_another_or_to_the_end(store, submit, alice, queued):
    a, b, c, d = _ids(submit.project(alice, 4))
    assert store.move_generation(alice, d, a).queue_position == 1
    assert queued(alice) == [d, a, b, c]
    store.move_generation(alice, a, None)
    assert queued(alice) == [d, b, c, a]
    store.move_generation(alice, d, c)
    assert queued(alice) == [b, d, c, a]


def test_what_is_in_the_trash_cannot_be_moved(store, submit, alice, clock):
    ended, waiting = _ids(submit.project(alice, 2))
    store.cancel_generation(alice, ended)
    store.trash(alice, [ended], clock.now + 60)
    for moved, before in ((ended, None), (waiting, ended)):
        with pytest.raises(NotFoundError):
            store.move_generation(alice, moved, before)


def test_a_move_publishes_changed_positions_once(store, submit, alice, database):
    a, b, c = _ids(submit.project(alice, 3))
    events = Published(database)
    for _ in range(2):
        store.move_generation(alice, c, b)
    assert {(event.generation_id, event.data.queue_position) for event in events} == {(c, 2), (b, 3)}
    store.move_generation(alice, a, a)
    assert len(events) == 2


def test_claims_follow_the_new_order_and_later_submits_stay_behind(store, submit, queue, alice):
    a, b, c = _ids(submit.project(alice, 3))
    store.move_generation(alice, c, a)
    later = submit(alice).id
    served = [queue.claim("worker").generation_id for _ in range(4)]
    assert served == [c, a, b, later]


def test_moves_do_not_change_the_positions_of_another_session(store, submit, alice, bob, queued):
    mine, theirs = _ids(submit.project(alice, 4)), _ids(submit.project(bob, 3))
    before = [queued(alice, bob).index(name) for name in theirs]
    for name in mine:
        store.move_generation(alice, name, mine[0])
        store.move_generation(alice, mine[1], None)
        assert [queued(alice, bob).index(one) for one in theirs] == before


def test_generations_of_another_session_cannot_be_moved_or_used_as_target(store, submit, alice, bob):
    mine, theirs = submit(alice).id, submit(bob).id
    for session, name, before in (
        (bob, mine, None),
        (alice, theirs, None),
        (alice, mine, theirs),
        (alice, mine, "gen_"),
    ):
        with pytest.raises(NotFoundError):
            store.move_generation(session, name, before)


def test_a_generation_that_has_started_or_ended_cannot_be_moved(store, submit, queue, alice, queued):
    a, b, c = _ids(submit.project(alice, 3))
    lease = queue.claim("worker")
    with pytest.raises(NotQueuedError):
        store.move_generation(alice, a, None)
    # Before one that has begun meanwhile: first of those that still wait.
    store.move_generation(alice, c, a)
    assert queued(alice) == [c, b]
    store.fail(Fence(lease.generation_id, lease.attempt), "engine_error", "", retryable=False)
    with pytest.raises(NotQueuedError, match="ended"):
        store.move_generation(alice, b, a)
    assert queued(alice) == [c, b]


def test_a_lost_generation_stays_first_after_moves(store, submit, queue, alice, queued):
    a, b, c = _ids(submit.project(alice, 3))
    queue.lose(queue.claim("worker"), "Gone.")
    store.move_generation(alice, c, a)
    assert queued(alice) == [a, c, b]
    store.move_generation(alice, a, None)
    assert queued(alice) == [a, c, b]


def test_a_move_survives_a_restart(store, submit, queue, alice, queued):
    a, b, c = _ids(submit.project(alice, 3))
    store.move_generation(alice, c, b)
    queue.lose(queue.claim("worker"), "The server stops.", count=False)
    assert queued(alice) == [a, c, b]


def test_concurrent_claims_and_moves_claim_every_generation_once(store, submit, queue, alice):
    ids = _ids(submit.project(alice, 12))

    def move(name):
        try:
            store.move_generation(alice, name, ids[0])
        except NotQueuedError:
            return None
        return name

    with ThreadPoolExecutor(4) as threads:
        moved = [threads.submit(move, name) for name in reversed(ids)]
        claimed = [threads.submit(queue.claim, f"worker-{number}") for number in range(12)]
    assert sorted(claim.result().generation_id for claim in claimed) == sorted(ids)
    assert {one.result() for one in moved} <= {*ids, None}
