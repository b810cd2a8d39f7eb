"""Outcomes, waits and steps are counted from the events of each commit, once."""

import pytest

from tests.core.test_metrics import samples
from tests.support.rows import result
from videogen.core.metrics import Metrics
from videogen.jobs.metrics import JobMetrics
from videogen.schemas.generations import Attention
from videogen.store import Failure, Fence, Progress
from videogen.store.progress import Unknown


@pytest.fixture
def metrics(database):
    metrics = Metrics(["bars", "slow"])
    database.listen(JobMetrics(metrics).record)
    return metrics


def test_a_generation_that_completes_is_measured_from_the_submit_on(metrics, queue, submit, alice, clock):
    row = submit(alice)
    clock.now += 7
    lease = queue.claim("worker")
    clock.now += 30
    queue.finish(lease, result(row))
    assert samples(metrics, "generations_ended_total") == {("", "bars", "completed"): 1}
    assert samples(metrics, "queue_wait_seconds_sum") == {("bars",): 7}
    assert samples(metrics, "render_seconds_sum") == {("bars",): 30}


def test_a_failure_is_counted_with_its_code_and_a_cancel_before_the_start_has_no_wait(
    metrics, queue, store, submit, alice
):
    submit(alice)
    queue.finish(queue.claim("worker"), Failure("out_of_memory", "no", retryable=False))
    store.cancel_generation(alice, submit(alice, engine="slow").id)
    ended = {("out_of_memory", "bars", "failed"): 1, ("cancelled", "slow", "cancelled"): 1}
    assert samples(metrics, "generations_ended_total") == ended
    assert samples(metrics, "queue_wait_seconds_count") == {("bars",): 1}
    assert samples(metrics, "render_seconds_count") == {}


def test_a_lost_attempt_is_counted_and_the_next_one_is_no_second_wait(metrics, queue, submit, alice, clock):
    row = submit(alice)
    queue.lose(queue.claim("worker"), "It died.")
    clock.now += 5
    queue.finish(queue.claim("worker"), result(row))
    assert samples(metrics, "attempts_requeued_total") == {("bars",): 1}
    assert samples(metrics, "queue_wait_seconds_count") == {("bars",): 1}
    assert samples(metrics, "render_seconds_sum") == {("bars",): 5}


def test_a_job_of_unknown_fate_whose_owner_looks_again_is_no_lost_attempt(metrics, queue, store, submit, alice):
    row = submit(alice)
    queue.finish(queue.claim("worker"), Unknown("The answer was lost.", Attention()))
    store.look_again(alice, row.id)
    queue.finish(queue.claim("worker"), result(row))
    assert samples(metrics, "attempts_requeued_total") == {}
    assert samples(metrics, "generations_ended_total") == {("", "bars", "completed"): 1}


def test_another_position_in_the_queue_is_no_lost_attempt(metrics, store, queue, submit, alice):
    first, second = submit(alice), submit(alice)
    store.move_generation(alice, second.id, first.id)
    assert samples(metrics, "attempts_requeued_total") == {}


def test_a_job_that_ran_before_the_start_is_no_lost_attempt_and_has_no_wait(database, queue, submit, alice, clock):
    row = submit(alice)
    queue.claim("before")
    metrics = Metrics(["bars"])
    database.listen(JobMetrics(metrics).record)
    queue.recover()
    clock.now += 9
    queue.finish(queue.claim("worker"), result(row))
    assert samples(metrics, "attempts_requeued_total") == {}
    assert samples(metrics, "queue_wait_seconds_count") == {}
    assert samples(metrics, "render_seconds_sum") == {("bars",): 9}


def test_a_step_is_measured_between_events_of_one_stage(metrics, queue, store, submit, alice, clock):
    submit(alice)
    lease = queue.claim("worker")
    fence = Fence(lease.generation_id, lease.attempt)
    # Two seconds for a step, in one event or in two; what loads and what converts has no steps of the engine.
    for seconds, stage, step in [(60, "loading", 0), (5, "rendering", 0), (2, "rendering", 1), (4, "rendering", 3)]:
        clock.now += seconds
        store.record_progress(fence, Progress(step, stage, step, 4, "", None))
    for step in (0, 1, 2):
        clock.now += 100
        store.record_progress(fence, Progress(99, "converting", step, 4, "", None))
    assert samples(metrics, "step_seconds_count") == {("bars",): 2}
    assert samples(metrics, "step_seconds_sum") == {("bars",): 4}


def test_a_write_that_is_rolled_back_counts_nothing(metrics, database, queue, submit, alice):
    row = submit(alice)
    lease = queue.claim("worker")
    queue.finish(lease, result(row))
    with pytest.raises(Exception, match="changed since"):
        queue.finish(lease, Failure("late", "", retryable=False))
    assert samples(metrics, "generations_ended_total") == {("", "bars", "completed"): 1}
