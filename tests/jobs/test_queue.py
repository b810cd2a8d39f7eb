"""What only the embedded queue has: leases in columns of the generations, by a clock that may be set."""

import pytest

pytestmark = pytest.mark.databases("sqlite", "postgresql")


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
