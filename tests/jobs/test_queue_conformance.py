"""What every implementation of `jobs.base.Queue` must do: the embedded one on SQLite, the common one on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Barrier, Event

import pytest

from tests.support.published import Published
from tests.support.rows import result
from videogen.core.errors import NeedsNoAttentionError, StaleWriteError
from videogen.schemas.generations import Attention
from videogen.store import Failure, Fence, Progress, Unknown

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def serve(queue, clock):
    """Claims and finishes one generation per second until none is left; returns their ids in this order."""

    def run(limit=1000):
        served = []
        while len(served) < limit and (lease := queue.claim("worker")) is not None:
            clock.now += 1
            queue.finish(lease, Failure("served", "", retryable=False))
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
    assert (taken.status, taken.attempt, taken.started_at) == ("processing", 1, clock.now)
    assert taken.queue_position is None
    assert queue.claim("worker") is None


def test_a_claim_leaves_the_generations_of_some_engines_to_others(queue, submit, alice):
    slow = submit(alice, engine="slow")
    quick = submit(alice, engine="quick")
    assert queue.claim("worker", (), ["slow"]).generation_id == quick.id
    assert queue.claim("worker", (), ["slow", "quick"]) is None
    assert queue.claim("worker", (), ["quick"]).generation_id == slow.id


def test_what_waits_for_one_engine_counts_for_no_other(queue, store, submit, alice, bob):
    mine = [submit(alice, engine="slow") for _ in range(3)] + [submit(alice, engine="quick")]
    theirs = submit(bob, engine="quick")
    positions = [store.get_generation(row.session_id, row.id).queue_position for row in [*mine, theirs]]
    assert positions == [1, 2, 3, 1, 2], "the first of each engine is next, whatever waits for the other one"
    assert queue.claim("worker", (), ["slow"]).generation_id == mine[3].id
    assert store.get_generation(bob, theirs.id).queue_position == 1


def test_claims_at_once_take_what_one_after_the_other_would_for_the_slots_of_each_engine(queue, submit, alice, bob):
    slow = [submit(alice, engine="slow"), submit(bob, engine="slow"), submit(alice, engine="slow")]
    submit(alice, engine="busy")
    gone = submit(bob, engine="gone")
    leases = queue.claim_all("worker", {"slow": 2, "quick": 5, "busy": 0})
    assert {lease.generation_id for lease in leases} == {slow[0].id, slow[1].id, gone.id}
    assert [lease.attempt for lease in leases] == [1] * 3
    assert queue.claim_all("worker", {"slow": 0, "quick": 5, "busy": 0}) == []


def test_claims_at_once_let_sessions_take_turns(queue, store, submit, alice, bob):
    mine, theirs = _ids(submit.project(alice, 4)), _ids(submit.project(bob, 2))
    leases = queue.claim_all("worker", {"bars": 3})
    assert [lease.generation_id for lease in leases] == [mine[0], theirs[0], mine[1]]
    places = {
        name: store.get_generation(owner, name).queue_position
        for owner, name in [(alice, mine[2]), (alice, mine[3]), (bob, theirs[1])]
    }
    assert places == {theirs[1]: 1, mine[2]: 2, mine[3]: 3}


def test_fifty_claims_at_once_publish_one_event_each_and_one_new_position_of_what_waits(queue, database, submit, alice):
    rows = submit.project(alice, 60)
    batches, published = [], Published(database)
    database.listen(lambda committed: batches.append(list(committed)))
    taken = [lease.generation_id for lease in queue.claim_all("worker", {"bars": 50})]
    assert taken == _ids(rows[:50])
    assert len(published) == 60
    (events,) = batches
    assert [event.generation_id for event in events] == taken + _ids(rows[50:])
    assert [event.data.queue_position for event in events[50:]] == list(range(1, 11))
    assert [event.id for event in events] == sorted({event.id for event in events})


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


def test_ten_jobs_of_one_session_do_not_delay_the_first_of_another(submit, alice, bob, serve):
    many, one = _ids(submit.project(alice, 10)), submit(bob).id
    assert serve(2) == [many[0], one]


def test_a_new_session_is_next_though_another_one_has_waited_longer(submit, alice, bob, serve):
    many = _ids(submit.project(alice, 10))
    assert serve(3) == many[:3]
    late = submit(bob).id
    assert serve(1) == [late]


def test_sessions_take_turns(submit, alice, bob, serve):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    assert serve() == [mine[0], theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


def test_queue_positions_are_the_order_of_service(store, submit, alice, bob, serve):
    rows = submit.project(alice, 4) + submit.project(bob, 2)
    positions = {store.get_generation(row.session_id, row.id).queue_position: row.id for row in rows}
    assert serve() == [positions[position] for position in range(1, 7)]


def test_a_renewed_lease_does_not_expire(queue, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    for _ in range(5):
        clock.now += 9
        queue.renew("worker", [row.id])
        assert queue.claim("another") is None


def test_a_lease_that_is_not_renewed_expires(queue, submit, alice, clock):
    rendered, forgotten = submit.project(alice, 2)
    queue.claim("worker"), queue.claim("worker")
    clock.now += 9
    queue.renew("worker", [rendered.id])
    clock.now += 9
    assert queue.claim("another").generation_id == forgotten.id
    assert queue.claim("another") is None


def test_an_expired_lease_gives_its_generation_a_position_though_nobody_takes_it(queue, store, submit, alice, clock):
    row = submit(alice, engine="slow")
    queue.claim("worker")
    clock.now += 11
    assert queue.claim("another", (), ["slow"]) is None
    back = store.get_generation(alice, row.id)
    assert (back.status, back.queue_position) == ("queued", 1)


def test_an_expired_lease_passes_to_another_worker_in_the_next_attempt(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    store.record_checkpoint(Fence(row.id, 1), {"step": 8})
    clock.now += 10
    assert queue.claim("another") is None
    clock.now += 0.1
    lease = queue.claim("another")
    assert (lease.generation_id, lease.attempt, lease.checkpoint) == (row.id, 2, {"step": 8})
    taken = store.get_generation(alice, row.id)
    assert (taken.attempt, taken.started_at) == (2, row.created_at)


def test_a_generation_whose_renderer_is_lost_is_queued_again_with_the_reason(queue, store, database, submit, alice):
    row = submit(alice)
    lease = queue.claim("worker")
    events = Published(database)
    queue.lose(lease, "It was killed.")
    back = store.get_generation(alice, row.id)
    assert (back.status, back.attempt, back.queue_position) == ("queued", 1, 1)
    assert back.message.startswith("It was killed.")
    assert {event.data.status for event in events} == {"queued"}
    assert queue.claim("worker").attempt == 2


def test_a_generation_fails_with_its_third_lost_renderer(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(3):
        queue.lose(queue.claim("worker"), "It was killed.")
    ended = store.get_generation(alice, row.id)
    assert (ended.status, ended.error_code, ended.error_retryable) == ("failed", "worker_lost", True)
    assert "lost 3 times" in ended.error_message
    assert queue.claim("worker") is None


def test_a_generation_fails_with_its_third_expired_lease(queue, store, submit, alice, clock):
    row = submit(alice)
    for _ in range(3):
        assert queue.claim("worker") is not None
        clock.now += 11
    assert queue.claim("worker") is None
    assert store.get_generation(alice, row.id).error_code == "worker_lost"


def test_a_stop_of_the_server_uses_up_no_attempt(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(5):
        queue.lose(queue.claim("worker"), "The server stops.", count=False)
    assert store.get_generation(alice, row.id).status == "queued"


def test_losing_a_lease_that_is_not_held_changes_nothing(queue, store, submit, alice, clock):
    row = submit(alice)
    lease = queue.claim("worker")
    clock.now += 11
    second = queue.claim("another")
    before = store.get_generation(alice, row.id)
    queue.lose(lease, "Too late.")
    assert store.get_generation(alice, row.id) == before
    queue.finish(second, result(row))
    before = store.get_generation(alice, row.id)
    queue.lose(lease, "Too late.")
    assert store.get_generation(alice, row.id) == before


LOSSES = {
    "its renderer died": lambda queue, lease, clock: queue.lose(lease, "It was killed."),
    "its lease expired": lambda queue, lease, clock: (setattr(clock, "now", clock.now + 11), queue.claim("x")),
    "its worker stopped": lambda queue, lease, clock: queue.lose(lease, "The worker stops.", count=False),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_requested_cancel_ends_the_generation_when_its_worker_is_lost(queue, store, submit, alice, clock, loss):
    row = submit(alice)
    lease = queue.claim("worker")
    store.cancel_generation(alice, row.id)
    LOSSES[loss](queue, lease, clock)
    ended = store.get_generation(alice, row.id)
    assert (ended.status, ended.error_code) == ("cancelled", "cancelled")


def test_progress_of_a_lost_attempt_is_kept_until_the_next_one_starts(queue, store, submit, alice):
    row = submit(alice)
    lease = queue.claim("worker")
    store.record_progress(Fence(row.id, 1), Progress(60.0, "rendering", 6, 10, "", 4.0))
    queue.lose(lease, "It was killed.")
    back = store.get_generation(alice, row.id)
    assert (back.progress, back.eta_seconds, back.stage) == (60.0, None, "queued")


def test_an_expired_lease_that_its_owner_still_holds_is_not_taken_over(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    clock.now += 60  # the machine was suspended, and with it the thread that renews leases
    assert queue.claim("worker", {row.id}) is None
    assert store.get_generation(alice, row.id).attempt == 1
    assert queue.claim("another").attempt == 2, "the lease is expired for everybody else"


def test_a_lost_generation_comes_before_new_ones(queue, submit, alice, bob, serve):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    queue.lose(queue.claim("worker"), "It was killed.")
    assert serve() == [mine[0], theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_sessions_take_turns_when_the_clock_is_set(submit, alice, bob, serve, clock, seconds):
    mine, theirs = _ids(submit.project(alice, 3)), _ids(submit.project(bob, 3))
    assert serve(1) == [mine[0]]
    clock.set_by(seconds)
    assert serve() == [theirs[0], mine[1], theirs[1], mine[2], theirs[2]]


@pytest.mark.parametrize(
    ("checkpoint", "rest"), [({"step": 8}, "It continues from its last checkpoint."), (None, "It starts again.")]
)
def test_a_requeued_generation_says_where_it_continues(queue, store, submit, alice, checkpoint, rest):
    row = submit(alice)
    lease = queue.claim("worker")
    if checkpoint:
        store.record_checkpoint(Fence(row.id, 1), checkpoint)
    queue.lose(lease, "It was killed.")
    assert store.get_generation(alice, row.id).message == f"It was killed. {rest}"


def test_notify_wakes_a_waiting_thread(queue):
    waiting = Event()

    def wait():
        waiting.set()
        return queue.wait(0, 60)

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(wait)
        assert waiting.wait(20)
        queue.notify()
        assert answer.result(20) == 1


def test_a_notify_before_the_wait_is_not_missed(queue):
    queue.notify()
    assert queue.wait(0, 60) == 1


def test_a_wait_ends_after_its_timeout(queue):
    assert queue.wait(0, 0.001) == 0


OUTCOMES = {
    "completed": result,
    "failed": lambda row: Failure("busy", "Try later.", retryable=True),
    "cancelled": lambda row: Failure("cancelled", "Cancelled.", retryable=True),
}


@pytest.mark.parametrize("status", OUTCOMES)
def test_finish_writes_the_status_and_one_terminal_event(queue, store, database, submit, alice, status):
    row = submit(alice)
    lease = queue.claim("worker")
    events = Published(database)
    queue.finish(lease, OUTCOMES[status](row))
    assert store.get_generation(alice, row.id).status == status
    assert [(event.generation_id, event.data.status) for event in events] == [(row.id, status)]
    assert queue.claim("another") is None


@pytest.mark.parametrize("status", OUTCOMES)
@pytest.mark.parametrize("loss", LOSSES)
def test_finish_under_a_lost_lease_is_refused_and_changes_nothing(queue, store, submit, alice, clock, status, loss):
    row = submit(alice)
    lease = queue.claim("worker")
    LOSSES[loss](queue, lease, clock)
    before = store.get_generation(alice, row.id)
    with pytest.raises(StaleWriteError):
        queue.finish(lease, OUTCOMES[status](row))
    assert store.get_generation(alice, row.id) == before


def test_a_second_finish_is_refused(queue, store, submit, alice):
    row = submit(alice)
    lease = queue.claim("worker")
    queue.finish(lease, result(row))
    with pytest.raises(StaleWriteError):
        queue.finish(lease, Failure("late", "", retryable=False))
    assert store.get_generation(alice, row.id).status == "completed"


def test_a_cancel_signal_reaches_every_watcher(queue, submit, alice):
    row, signals = submit(alice), SimpleQueue()
    queue.watch_cancels(lambda generation_id: signals.put(("first", generation_id)))
    queue.watch_cancels(lambda generation_id: signals.put(("second", generation_id)))
    queue.claim("worker")
    queue.cancel(row.id)
    assert {signals.get(timeout=20), signals.get(timeout=20)} == {("first", row.id), ("second", row.id)}


def test_a_cancelled_generation_that_was_queued_is_never_claimed(queue, store, submit, alice):
    cancelled, other = submit.project(alice, 2)
    store.cancel_generation(alice, cancelled.id)
    queue.cancel(cancelled.id)
    assert queue.claim("worker").generation_id == other.id
    assert queue.claim("worker") is None


# What needs attention

UNKNOWN = Unknown("Nobody knows whether the service has it.", Attention(provider_id="job-7"))


@pytest.fixture
def parked(queue, store, submit, alice):
    """A generation that needs attention, after its first attempt."""
    row = submit(alice)
    lease = queue.claim("worker")
    store.record_checkpoint(Fence(row.id, 1), {"step": 8})
    queue.finish(lease, UNKNOWN)
    return lease


def test_what_needs_attention_is_processing_without_a_lease_and_one_event_says_what_is_known(
    queue, store, database, submit, alice
):
    row = submit(alice)
    lease = queue.claim("worker")
    events = Published(database)
    queue.finish(lease, UNKNOWN)
    shown = store.get_generation(alice, row.id)
    assert (shown.status, shown.stage, shown.message) == ("processing", "needs_attention", UNKNOWN.message)
    assert (shown.lease_owner, shown.lease_until, shown.eta_seconds) == (None, 0.0, None)
    assert [(event.type, event.data.stage, event.data.message) for event in events] == [
        ("render_progress", "needs_attention", UNKNOWN.message)
    ]
    assert events[0].data.attention == UNKNOWN.known


def test_what_needs_attention_is_never_queued_by_itself(queue, store, parked, alice, clock):
    before = store.get_generation(alice, parked.generation_id)
    for _ in range(5):
        assert queue.recover() == 0, "the server restarted"
        clock.now += 3600
        queue.renew("worker", [parked.generation_id])
        assert queue.claim("another") is None, "no lease of it can expire"
        clock.set_by(86400)
        assert queue.claim("another") is None
        queue.lose(parked, "It was killed.")
    assert store.get_generation(alice, parked.generation_id) == before


@pytest.mark.parametrize("outcome", [*OUTCOMES.values(), lambda row: UNKNOWN])
def test_an_attempt_that_needs_attention_can_write_nothing_more(queue, store, parked, alice, outcome):
    row = store.get_generation(alice, parked.generation_id)
    fence = Fence(row.id, parked.attempt)
    with pytest.raises(StaleWriteError):
        queue.finish(parked, outcome(row))
    with pytest.raises(StaleWriteError):
        store.record_progress(fence, Progress(60.0, "rendering", 6, 10, "", 4.0))
    with pytest.raises(StaleWriteError):
        store.record_checkpoint(fence, {"step": 9})
    assert store.get_generation(alice, row.id) == row


def test_what_needs_attention_does_not_delay_what_waits(queue, store, database, parked, alice, bob, submit):
    waiting = submit(bob)
    assert store.get_generation(bob, waiting.id).queue_position == 1
    assert queue.claim("worker").generation_id == waiting.id


@pytest.mark.parametrize("requested", ["before", "after"])
def test_a_cancel_ends_what_needs_attention_and_says_that_it_may_be_billed(queue, store, submit, alice, requested):
    row = submit(alice)
    lease = queue.claim("worker")
    if requested == "before":
        store.cancel_generation(alice, row.id)
    queue.finish(lease, UNKNOWN)
    if requested == "after":
        assert store.cancel_generation(alice, row.id)[1]
    ended = store.get_generation(alice, row.id)
    assert (ended.status, ended.error_code) == ("cancelled", "cancelled")
    assert "The service may still render it, and bill it." in ended.error_message
    assert ended.attention["provider_id"] == "job-7", "its id is kept"


def test_a_look_is_claimed_again_with_its_checkpoint_and_uses_up_no_attempt(queue, store, parked, alice, submit, bob):
    submit(bob)
    for attempt in range(2, 7):
        row = store.look_again(alice, parked.generation_id)
        assert (row.status, row.queue_position, row.attention) == ("queued", 1, None)
        lease = queue.claim("worker")
        assert (lease.generation_id, lease.attempt, lease.last) == (row.id, attempt, False)
        assert lease.checkpoint == {"step": 8, "look": True}
        queue.finish(lease, UNKNOWN)
    assert store.get_generation(alice, row.id).lost == 0


@pytest.mark.parametrize("decide", ["look_again", "give_up"])
def test_of_decisions_at_the_same_time_one_counts(store, parked, alice, database, decide):
    barrier = Barrier(4)
    events = Published(database)

    def call(_):
        barrier.wait()
        try:
            return getattr(store, decide)(alice, parked.generation_id).status
        except NeedsNoAttentionError:
            return None

    with ThreadPoolExecutor(4) as threads:
        answers = [status for status in threads.map(call, range(4)) if status is not None]
    expected = {"look_again": "queued", "give_up": "failed"}[decide]
    assert answers == [expected]
    assert {event.data.status for event in events} == {expected}
