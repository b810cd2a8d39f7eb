"""What only the embedded queue has: leases by a clock that may be set, and a start that decides about all of them."""

import pytest

from tests.support.rows import result
from videogen.core.errors import StaleWriteError


def test_a_claim_writes_the_owner_and_the_expiry_of_the_lease(queue, store, submit, alice, clock):
    row = submit(alice)
    lease = queue.claim("worker")
    claimed = store.get_generation(alice, row.id)
    assert (claimed.lease_owner, claimed.lease_until) == ("worker", clock.now + 10)
    queue.lose(lease, "It was killed.")
    assert store.get_generation(alice, row.id).lease_owner is None


def test_renewing_a_lease_that_was_taken_over_changes_nothing(queue, store, submit, alice, clock):
    row = submit(alice)
    queue.claim("worker")
    clock.now += 11
    queue.claim("another")
    until = store.get_generation(alice, row.id).lease_until
    clock.now += 1
    queue.renew("worker", [row.id])
    assert store.get_generation(alice, row.id).lease_until == until


@pytest.mark.parametrize("hours", [-1, 1])
def test_setting_the_clock_takes_no_lease_from_a_worker_that_renews_it(queue, store, submit, alice, clock, hours):
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
def test_setting_the_clock_does_not_extend_the_lease_of_a_dead_worker(queue, submit, alice, clock, hours):
    row = submit(alice)
    queue.claim("worker")
    clock.set_by(3600 * hours)
    assert queue.claim("another") is None
    clock.now += 10.5
    assert queue.claim("another").generation_id == row.id


def test_a_suspended_machine_loses_no_lease(queue, submit, alice, clock):
    submit(alice)
    queue.claim("worker")
    clock.set_by(8 * 3600)  # the monotonic clock of Linux stands still while the machine is suspended
    assert queue.claim("another") is None


def test_recover_queues_everything_that_was_running(queue, store, submit, alice, bob):
    running, waiting = submit.project(alice, 2), submit(bob)
    queue.claim("worker"), queue.claim("worker")
    assert queue.recover() == 2
    assert queue.recover() == 0
    again = [store.get_generation(row.session_id, row.id) for row in [*running, waiting]]
    assert {row.status for row in again} == {"queued"}
    assert sorted(row.queue_position for row in again) == [1, 2, 3]


def test_recover_uses_up_no_attempt(queue, store, submit, alice):
    row = submit(alice)
    for _ in range(5):
        queue.claim("worker")
        queue.recover()
    queue.lose(queue.claim("worker"), "It was killed.")
    assert store.get_generation(alice, row.id).status == "queued", "one renderer was lost, and three may be"


def test_recovered_generations_come_before_new_ones(queue, submit, alice, bob):
    mine, theirs = submit.project(alice, 4), submit.project(bob, 2)
    running = [queue.claim("worker").generation_id for _ in range(3)]
    assert running == [mine[0].id, theirs[0].id, mine[1].id]
    queue.recover()
    served = [queue.claim("worker").generation_id for _ in range(6)]
    assert sorted(served[:3]) == sorted(running)
    assert served[3:] == [theirs[1].id, mine[2].id, mine[3].id]


def test_after_a_recover_a_requested_cancel_counts_and_the_old_lease_writes_nothing(queue, store, submit, alice):
    cancelled, running = submit.project(alice, 2)
    leases = queue.claim_all("worker", {})
    store.cancel_generation(alice, cancelled.id)
    queue.recover()
    assert store.get_generation(alice, cancelled.id).status == "cancelled"
    for lease, row in zip(leases, (cancelled, running), strict=True):
        with pytest.raises(StaleWriteError):
            queue.finish(lease, result(row))
    assert store.get_generation(alice, running.id).status == "queued"
