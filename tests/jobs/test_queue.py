from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from tests.support.rows import result
from videogen.store import Fence, Progress


@pytest.fixture
def serve(queue, store, clock):
    """Claims and finishes everything, a second apart; gives the ids in the order in which they were served."""

    def run(limit=1000):
        served = []
        while len(served) < limit and (lease := queue.claim("worker")) is not None:
            clock.now += 1
            store.fail(Fence(lease.generation_id, lease.attempt), "served", "", retryable=False)
            served.append(lease.generation_id)
        return served

    return run


def _ids(rows):
    return [row.id for row in rows]


def test_an_empty_queue_has_nothing_to_claim(queue):
    assert queue.claim("worker") is None


def test_a_claim_takes_the_generation_into_its_first_attempt(queue, store, submit, alice, clock):
    row = submit(alice)
    clock.now += 5
    lease = queue.claim("worker")
    assert (lease.generation_id, lease.session_id, lease.attempt, lease.recipe) == (row.id, alice, 1, row.recipe)
    taken = store.get_generation(alice, row.id)
    assert (taken.status, taken.attempt, taken.lease_owner) == ("processing", 1, "worker")
    assert (taken.started_at, taken.lease_until) == (clock.now, clock.now + 10)
    assert taken.queue_position is None
    assert queue.claim("worker") is None


def test_threads_that_claim_at_once_never_get_the_same_one(queue, submit, alice, bob):
    expected = _ids(submit.project(alice, 8) + submit.project(bob, 8))
    barrier = Barrier(8)

    def claim_all(name):
        barrier.wait()
        taken = []
        while (lease := queue.claim(name)) is not None:
            taken.append(lease.generation_id)
        return taken

    with ThreadPoolExecutor(8) as threads:
        taken = [claimed for claims in threads.map(claim_all, map(str, range(8))) for claimed in claims]
    assert sorted(taken) == sorted(expected)


def test_one_session_is_served_in_the_order_of_its_submits(submit, alice, serve):
    expected = _ids(submit.project(alice, 3) + submit.project(alice, 2))
    assert serve() == expected


def test_ten_jobs_of_one_session_do_not_hold_up_the_first_of_another(submit, alice, bob, serve):
    many, one = _ids(submit.project(alice, 10)), submit(bob).id
    assert serve(2) == [many[0], one]


def test_a_late_comer_is_next_though_another_session_is_being_served(submit, alice, bob, serve):
    many = _ids(submit.project(alice, 10))
    assert serve(3) == many[:3]
    late = submit(bob).id
    assert serve(1) == [late]


def test_sessions_take_turns(submit, alice, bob, serve):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    assert serve() == [mine[0], theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


def test_the_places_that_are_told_are_the_order_of_service(store, submit, alice, bob, serve):
    rows = submit.project(alice, 4) + submit.project(bob, 2)
    told = {store.get_generation(row.session_id, row.id).queue_position: row.id for row in rows}
    assert serve() == [told[place] for place in range(1, 7)]


def test_a_lease_that_is_renewed_stays(queue, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    for _ in range(5):
        clock.now += 9
        queue.renew("worker", [row.id])
        assert queue.claim("another") is None


def test_only_what_is_still_rendered_is_renewed(queue, submit, alice, clock):
    rendered, forgotten = submit.project(alice, 2)
    queue.claim("worker"), queue.claim("worker")
    clock.now += 9
    queue.renew("worker", [rendered.id])
    clock.now += 9
    assert queue.claim("another").generation_id == forgotten.id
    assert queue.claim("another") is None


def test_a_lease_that_expires_passes_to_another_worker_in_the_next_attempt(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    store.record_checkpoint(Fence(row.id, 1), {"step": 8})
    clock.now += 10
    assert queue.claim("another") is None
    clock.now += 0.1
    lease = queue.claim("another")
    assert (lease.generation_id, lease.attempt, lease.checkpoint) == (row.id, 2, {"step": 8})
    taken = store.get_generation(alice, row.id)
    assert (taken.lease_owner, taken.started_at) == ("another", row.created_at)


def test_to_renew_what_was_taken_over_does_not_bring_it_back(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    clock.now += 11
    queue.claim("another")
    until = store.get_generation(alice, row.id).lease_until
    clock.now += 1
    queue.renew("worker", [row.id])
    assert store.get_generation(alice, row.id).lease_until == until


def test_a_lost_renderer_sends_the_generation_back_and_says_why(queue, store, database, submit, alice):
    row, told = submit(alice), []
    lease = queue.claim("worker")
    database.listen(told.extend)
    queue.lose(lease, "It was killed.")
    back = store.get_generation(alice, row.id)
    assert (back.status, back.attempt, back.queue_position, back.lease_owner) == ("queued", 1, 1, None)
    assert back.message.startswith("It was killed.")
    assert {event.data.status for event in told} == {"queued"}
    assert queue.claim("worker").attempt == 2


def test_the_third_lost_renderer_is_the_last(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(3):
        queue.lose(queue.claim("worker"), "It was killed.")
    ended = store.get_generation(alice, row.id)
    assert (ended.status, ended.error_code, ended.error_retryable) == ("failed", "worker_lost", True)
    assert "lost 3 times" in ended.error_message
    assert queue.claim("worker") is None


def test_the_third_silent_worker_is_the_last(queue, store, submit, alice, clock):
    row = submit(alice)
    for _ in range(3):
        assert queue.claim("worker") is not None
        clock.now += 11
    assert queue.claim("worker") is None
    assert store.get_generation(alice, row.id).error_code == "worker_lost"


def test_a_stop_of_the_server_is_never_the_last(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(5):
        queue.lose(queue.claim("worker"), "The server stops.", count=False)
    assert store.get_generation(alice, row.id).status == "queued"


def test_to_lose_a_lease_that_is_not_held_any_more_changes_nothing(queue, store, submit, alice, clock):
    row = submit(alice)
    lease = queue.claim("worker")
    clock.now += 11
    queue.claim("another")
    before = store.get_generation(alice, row.id)
    queue.lose(lease, "Too late.")
    assert store.get_generation(alice, row.id) == before
    store.complete(Fence(row.id, 2), result(row))
    before = store.get_generation(alice, row.id)
    queue.lose(lease, "Too late.")
    assert store.get_generation(alice, row.id) == before


LOSSES = {
    "its renderer died": lambda queue, lease, clock: queue.lose(lease, "It was killed."),
    "its worker fell silent": lambda queue, lease, clock: (setattr(clock, "now", clock.now + 11), queue.claim("x")),
    "the server restarted": lambda queue, lease, clock: queue.recover(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_cancel_is_honoured_when_its_worker_is_lost(queue, store, submit, alice, clock, loss):
    row = submit(alice)
    lease = queue.claim("worker")
    store.cancel_generation(alice, row.id)
    LOSSES[loss](queue, lease, clock)
    ended = store.get_generation(alice, row.id)
    assert (ended.status, ended.error_code) == ("cancelled", "cancelled")


def test_at_start_everything_that_was_running_is_queued_again(queue, store, submit, alice, bob):
    running, waiting = submit.project(alice, 2), submit(bob)
    queue.claim("worker"), queue.claim("worker")
    assert queue.recover() == 2
    assert queue.recover() == 0
    again = [store.get_generation(row.session_id, row.id) for row in [*running, waiting]]
    assert {row.status for row in again} == {"queued"}
    assert sorted(row.queue_position for row in again) == [1, 2, 3]


def test_restarts_do_not_use_up_the_renderers_that_a_job_may_lose(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(5):
        queue.claim("worker")
        queue.recover()
    queue.lose(queue.claim("worker"), "It was killed.")
    assert store.get_generation(alice, row.id).status == "queued", "one renderer was lost, and three may be"


def test_progress_of_a_lost_attempt_is_kept_until_the_next_one_begins(queue, store, submit, alice):
    row = submit(alice)
    lease = queue.claim("worker")
    store.record_progress(Fence(row.id, 1), Progress(60.0, "rendering", 6, 10, "", 4.0))
    queue.lose(lease, "It was killed.")
    back = store.get_generation(alice, row.id)
    assert (back.progress, back.eta_seconds, back.stage) == (60.0, None, "queued")


def test_what_its_owner_still_renders_is_not_taken_over(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    clock.now += 60  # the whole machine slept, and with it whoever renews the leases
    assert queue.claim("worker", {row.id}) is None
    assert store.get_generation(alice, row.id).attempt == 1
    assert queue.claim("another").attempt == 2, "but it is, when nobody says that it renders"


def test_what_had_begun_goes_on_before_anything_new_begins(queue, submit, alice, bob, serve):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    queue.lose(queue.claim("worker"), "It was killed.")
    assert serve() == [mine[0], theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


def test_after_a_restart_everything_that_was_running_goes_on_first(queue, submit, alice, bob, serve):
    mine, theirs = _ids(submit.project(alice, 4)), _ids(submit.project(bob, 2))
    running = [queue.claim("worker").generation_id for _ in range(3)]
    assert running == [mine[0], theirs[0], mine[1]]
    queue.recover()
    assert sorted(serve(3)) == sorted(running)
    assert serve() == [theirs[1], mine[2], mine[3]]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_takes_no_lease_from_whoever_renews_it(queue, store, submit, alice, clock, hours):
    row = submit(alice)
    queue.claim("worker")
    clock.now += 5
    clock.set_by(3600 * hours)
    assert queue.claim("another") is None
    for _ in range(3):
        clock.now += 9
        queue.renew("worker", [row.id])
        assert queue.claim("another") is None
    assert store.get_generation(alice, row.id).attempt == 1


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_keeps_no_dead_worker_alive(queue, submit, alice, clock, hours):
    row = submit(alice)
    queue.claim("worker")
    clock.set_by(3600 * hours)
    assert queue.claim("another") is None
    clock.now += 10.5
    assert queue.claim("another").generation_id == row.id


def test_a_machine_that_slept_is_a_clock_that_was_set(queue, submit, alice, clock):
    submit(alice)
    queue.claim("worker")
    clock.set_by(8 * 3600)  # Linux's steady time does not count a sleep
    assert queue.claim("another") is None


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_sessions_take_turns_though_the_clock_is_set(submit, alice, bob, serve, clock, seconds):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    assert serve(1) == [mine[0]]
    clock.set_by(seconds)
    assert serve() == [theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


@pytest.mark.parametrize(
    ("checkpoint", "rest"), [({"step": 8}, "It goes on from its last checkpoint."), (None, "It begins again.")]
)
def test_who_waits_again_is_told_how_it_goes_on(queue, store, submit, alice, checkpoint, rest):
    row = submit(alice)
    lease = queue.claim("worker")
    if checkpoint:
        store.record_checkpoint(Fence(row.id, 1), checkpoint)
    queue.lose(lease, "It was killed.")
    assert store.get_generation(alice, row.id).message == f"It was killed. {rest}"


def test_who_waits_is_woken_by_a_notice(queue):
    waiting = Event()

    def wait():
        waiting.set()
        return queue.wait(0, 60)

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(wait)
        assert waiting.wait(20)
        queue.notify()
        assert answer.result(20) == 1


def test_a_notice_before_the_wait_is_not_missed(queue):
    queue.notify()
    assert queue.wait(0, 60) == 1


def test_a_wait_ends_by_itself(queue):
    assert queue.wait(0, 0.001) == 0
