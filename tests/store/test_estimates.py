"""Expected times: they come from measured runs of the same kind only."""

import pytest
from sqlalchemy import text
from sqlmodel import select

from tests.support.published import Published
from tests.support.rows import Submitter, file_row
from videogen.db.tables import RunRow
from videogen.jobs.queue import EmbeddedQueue
from videogen.store import Fence, Result, Store
from videogen.store.estimates import MAX_RUNS, MAX_RUNS_PER_KIND, Expected, Measured, schedule

BOTH = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def store(database, clock):
    return Store(database, clock, {"bars": 1})


@pytest.fixture
def queue(store, clock):
    return EmbeddedQueue(store, lease_seconds=10, steady=clock.steady)


@pytest.fixture
def render(store, queue, submit, alice, clock):
    """Renders one generation whole, in so many seconds, as a worker measures it."""

    def run(seconds, startup=1.0, **values):
        row = submit(alice, **values)
        lease = queue.claim("worker")
        assert lease.generation_id == row.id
        clock.now += seconds
        finish(store, lease, row, Measured(startup, seconds))

    return run


def finish(store, lease, row, measured):
    made = Result(file_row(row), None, row.width, row.height, row.fps, row.duration_seconds, measured=measured)
    store.complete(Fence(lease.generation_id, lease.attempt), made)


def expected_times(store, session, row):
    stored = store.get_generation(session, row.id)
    return stored.expected_wait_seconds, stored.eta_seconds


def test_nothing_is_expected_without_a_measured_run(queue, submit, alice, store):
    first, second = submit.project(alice, 2)
    assert expected_times(store, alice, first) == (None, None)
    lease = queue.claim("worker")
    assert (lease.expected, store.get_generation(alice, first.id).eta_seconds) == (None, None)
    assert expected_times(store, alice, second) == (None, None)


def test_one_run_of_the_kind_is_enough_for_an_estimate(render, queue, submit, alice, store, clock):
    render(10)
    first, second, third = submit.project(alice, 3)
    assert [expected_times(store, alice, row) for row in (first, second, third)] == [(0, 10), (10, 20), (20, 30)]
    lease = queue.claim("worker")
    assert lease.expected == Expected(1.0, 9.0)
    assert store.get_generation(alice, first.id).eta_seconds == 10
    assert [expected_times(store, alice, row) for row in (second, third)] == [(10, 20), (20, 30)]


@pytest.mark.parametrize(
    "other",
    [
        *({"engine": "another"}, {"engine_version": "2"}, {"type": "image"}, {"width": 128}, {"height": 128}),
        {"recipe": {"settings": {"steps": 50}}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_run_of_another_kind_does_not_count(render, submit, alice, store, other):
    render(10)
    assert expected_times(store, alice, submit(alice, **other)) == (None, None)
    behind = expected_times(store, alice, submit(alice))
    assert behind == ((0, 10) if "engine" in other else (None, None)), (
        "nor anything behind a generation of its engine without an estimate"
    )


def test_each_number_of_steps_is_a_kind(render, submit, alice, store):
    for steps, seconds in ((10, 5), (50, 25)):
        render(seconds, recipe={"settings": {"steps": steps}})
    row = submit(alice, recipe={"settings": {"steps": 50}})
    assert expected_times(store, alice, row) == (0, 25)


def test_runs_survive_a_restart(render, submit, alice, database, clock):
    render(10)
    again = Store(database, clock, {"bars": 1})
    assert expected_times(again, alice, submit(alice)) == (0, 10)


def test_the_time_scales_with_frames_but_not_the_startup_and_only_up_to_a_limit(render, submit, alice, store):
    render(10, startup=2.0, duration_seconds=1.0, fps=8)
    assert expected_times(store, alice, submit(alice, duration_seconds=2.0, fps=8)) == (0, 18)
    assert expected_times(store, alice, submit(alice, duration_seconds=8.0, fps=8)) == (None, None)


def test_one_outlier_does_not_change_the_estimate(render, submit, alice, store):
    for seconds in (10, 11, 9, 300, 10):
        render(seconds)
    assert expected_times(store, alice, submit(alice)) == (0, 10)


@BOTH
def test_the_estimate_follows_the_newest_runs(render, submit, alice, store):
    for seconds in [40] * MAX_RUNS_PER_KIND + [8] * (MAX_RUNS_PER_KIND // 2 + 1):
        render(seconds)
    assert expected_times(store, alice, submit(alice)) == (0, 8)


def test_incomplete_renders_do_not_count(render, queue, submit, alice, store, clock):
    for end in ("cancelled", "engine_error"):
        submit(alice)
        lease = queue.claim("worker")
        clock.now += 500
        store.fail(Fence(lease.generation_id, lease.attempt), end, "", retryable=True)
    row = submit(alice)
    queue.lose(queue.claim("worker"), "Gone.")
    lease = queue.claim("worker")
    finish(store, lease, row, None)  # what a worker tells of an attempt that went on from a checkpoint
    assert expected_times(store, alice, submit(alice)) == (None, None)


@BOTH
def test_the_number_of_stored_runs_is_limited(render, database, monkeypatch):
    def kept():
        with database.read() as session:
            return sorted(session.exec(select(RunRow.width)))

    for _ in range(MAX_RUNS_PER_KIND + 3):
        render(10)
    assert len(kept()) == MAX_RUNS_PER_KIND
    monkeypatch.setattr("videogen.store.estimates.MAX_RUNS", 2)
    for width in (32, 48, 80):
        render(10, width=width)
    assert kept() == [48, 80]
    assert MAX_RUNS >= 100 * MAX_RUNS_PER_KIND


@BOTH
def test_new_expected_times_are_published_when_a_render_is_slower(render, queue, submit, alice, store, clock, database):
    render(10)
    first, second = submit.project(alice, 2)
    queue.claim("worker")
    events = Published(database)
    clock.now += 4
    store.update_expectations()
    assert events == [], "the published countdown is still right"
    clock.now += 5
    with database.write() as unit:  # nine seconds in, it says that it needs twenty more
        slower = text("UPDATE generations SET eta_seconds = 20, updated_at = :now WHERE id = :id")
        unit.connection.execute(slower, {"now": clock.now, "id": first.id})
    store.update_expectations()
    assert [(event.generation_id, event.data.expected_wait_seconds, event.data.eta_seconds) for event in events] == [
        (second.id, 20, 30)
    ]


def test_nothing_is_expected_while_the_queue_is_held(render, submit, alice, store):
    render(10)
    row = submit(alice)
    store.hold_queue("Waits for free disk space")
    assert expected_times(store, alice, row) == (None, None)
    store.release_queue()
    assert expected_times(store, alice, row) == (0, 10)


def test_nothing_is_expected_without_a_number_of_workers(render, database, clock, submit, alice):
    render(10)
    row = submit(alice)
    for concurrency in (None, {"bars": 0}, {"another": 1}):
        again = Store(database, clock, concurrency)
        again.move_generation(alice, row.id, row.id)
        other = submit(alice)
        again.cancel_generation(alice, other.id)
        assert expected_times(again, alice, row) == (None, None)


def test_each_engine_has_a_schedule_of_its_own(database, clock, alice):
    store = Store(database, clock, {"bars": 1, "quick": 2})
    submit = Submitter(store)
    queue = EmbeddedQueue(store, lease_seconds=10, steady=clock.steady)
    for engine, seconds in (("bars", 100), ("quick", 10)):
        row = submit(alice, engine=engine)
        lease = queue.claim("worker")
        clock.now += seconds
        finish(store, lease, row, Measured(1.0, seconds))
    slow = [submit(alice, engine="bars") for _ in range(2)]
    quick = [submit(alice, engine="quick") for _ in range(3)]
    assert [expected_times(store, alice, row) for row in slow] == [(0, 100), (100, 200)]
    assert [expected_times(store, alice, row) for row in quick] == [(0, 10), (0, 10), (10, 20)]
    assert [store.get_generation(alice, row.id).queue_position for row in quick] == [1, 2, 3]
    assert queue.claim("worker", (), ["bars"]).generation_id == quick[0].id
    assert [expected_times(store, alice, row) for row in quick[1:]] == [(0, 10), (10, 20)]
    assert [expected_times(store, alice, row) for row in slow] == [(0, 100), (100, 200)]


@pytest.mark.parametrize(
    ("running", "queued", "workers", "expected"),
    [
        ([], [10, 20], 1, [(0, 10), (10, 30)]),
        ([5], [10, 20], 1, [(5, 15), (15, 35)]),
        ([5], [10, 20], 2, [(0, 10), (5, 25)]),
        ([5, 3], [10, 1, 1], 2, [(3, 13), (5, 6), (6, 7)]),
        ([-4.0], [10], 1, [(0, 10)]),
        ([None], [10], 2, [None]),
        ([5], [10, None, 10], 1, [(5, 15), None, None]),
        ([1, 2, 3], [10], 2, [(2, 12)]),
        ([], [10], 0, [None]),
        ([], [10], None, [None]),
        ([5], [], 1, []),
    ],
)
def test_a_schedule_gives_the_next_generation_to_the_first_free_worker(running, queued, workers, expected):
    assert schedule(running, queued, workers) == expected


def test_the_remaining_time_shrinks_with_progress_and_is_never_negative():
    expected = Expected(startup=2.0, body=10.0)
    assert expected.rest(0, 0) == 12
    assert expected.rest(0, 60) == 10, "a late start leaves all of the work"
    assert expected.rest(50, 7) == 5
    assert expected.rest(120, 7) == 0
