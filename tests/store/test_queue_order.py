"""The own places in the line, changed by their owner: nobody else's, at any moment, any number of times."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from videogen.core.errors import NotFoundError, NotQueuedError
from videogen.store import Fence, Filter


@pytest.fixture
def line(store):
    """Who waits, in the order of service, as its owners are told."""

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


def test_a_generation_goes_before_another_or_to_the_end(store, submit, alice, line):
    a, b, c, d = _ids(submit.project(alice, 4))
    assert store.move_generation(alice, d, a).queue_position == 1
    assert line(alice) == [d, a, b, c]
    store.move_generation(alice, a, None)
    assert line(alice) == [d, b, c, a]
    store.move_generation(alice, d, c)
    assert line(alice) == [b, d, c, a]


def test_it_is_told_to_those_whose_place_has_changed_and_again_is_nothing(store, submit, alice, database):
    a, b, c = _ids(submit.project(alice, 3))
    heard = []
    database.listen(heard.extend)
    for _ in range(2):
        store.move_generation(alice, c, b)
    assert {(event.generation_id, event.data.queue_position) for event in heard} == {(c, 2), (b, 3)}
    store.move_generation(alice, a, a)
    assert len(heard) == 2


def test_it_is_served_in_the_new_order_and_what_comes_later_stays_behind(store, submit, queue, alice):
    a, b, c = _ids(submit.project(alice, 3))
    store.move_generation(alice, c, a)
    later = submit(alice).id
    served = [queue.claim("worker").generation_id for _ in range(4)]
    assert served == [c, a, b, later]


def test_another_session_keeps_its_places_however_often_somebody_moves(store, submit, alice, bob, line):
    mine, theirs = _ids(submit.project(alice, 4)), _ids(submit.project(bob, 3))
    before = [line(alice, bob).index(name) for name in theirs]
    for name in mine:
        store.move_generation(alice, name, mine[0])
        store.move_generation(alice, mine[1], None)
        assert [line(alice, bob).index(one) for one in theirs] == before


def test_nobody_moves_what_is_not_theirs_nor_before_it(store, submit, alice, bob):
    mine, theirs = submit(alice).id, submit(bob).id
    for session, name, before in (
        (bob, mine, None),
        (alice, theirs, None),
        (alice, mine, theirs),
        (alice, mine, "gen_"),
    ):
        with pytest.raises(NotFoundError):
            store.move_generation(session, name, before)


def test_what_has_begun_or_ended_is_not_moved(store, submit, queue, alice, line):
    a, b, c = _ids(submit.project(alice, 3))
    lease = queue.claim("worker")
    with pytest.raises(NotQueuedError):
        store.move_generation(alice, a, None)
    # Before one that has begun meanwhile: first of those that still wait.
    store.move_generation(alice, c, a)
    assert line(alice) == [c, b]
    store.fail(Fence(lease.generation_id, lease.attempt), "engine_error", "", retryable=False)
    with pytest.raises(NotQueuedError, match="ended"):
        store.move_generation(alice, b, a)
    assert line(alice) == [c, b]


def test_what_lost_its_renderer_goes_on_first_whatever_is_moved(store, submit, queue, alice, line):
    a, b, c = _ids(submit.project(alice, 3))
    queue.lose(queue.claim("worker"), "Gone.")
    store.move_generation(alice, c, a)
    assert line(alice) == [a, c, b]
    store.move_generation(alice, a, None)
    assert line(alice) == [a, c, b]


def test_a_move_keeps_over_a_restart(store, submit, queue, alice, line):
    a, b, c = _ids(submit.project(alice, 3))
    store.move_generation(alice, c, b)
    queue.claim("worker")
    assert queue.recover() == 1
    assert line(alice) == [a, c, b]


def test_claims_and_moves_at_the_same_time_lose_nothing_and_serve_nothing_twice(store, submit, queue, alice):
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
