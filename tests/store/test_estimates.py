"""How long it takes: told from measured runs of the same kind, and by nobody's guess."""

import pytest
from sqlmodel import select

from tests.support.rows import file_row
from videogen.db.tables import RunRow
from videogen.jobs.queue import EmbeddedQueue
from videogen.store import Fence, Result, Store
from videogen.store.estimates import MAX_RUNS, MAX_RUNS_PER_KIND, Expected, Measured, schedule


@pytest.fixture
def store(database, clock):
    return Store(database, clock, workers=1)


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
    made = Result(file_row(row), None, row.width, row.height, row.fps, row.duration_seconds, measured)
    store.complete(Fence(lease.generation_id, lease.attempt), made)


def told(store, session, row):
    found = store.get_generation(session, row.id)
    return found.expected_wait_seconds, found.eta_seconds


def test_without_a_measured_run_nothing_is_told(queue, submit, alice, store):
    first, second = submit.project(alice, 2)
    assert told(store, alice, first) == (None, None)
    lease = queue.claim("worker")
    assert (lease.expected, store.get_generation(alice, first.id).eta_seconds) == (None, None)
    assert told(store, alice, second) == (None, None)


def test_one_run_of_its_kind_is_a_basis_for_those_that_wait_and_render(render, queue, submit, alice, store, clock):
    render(10)
    first, second, third = submit.project(alice, 3)
    assert [told(store, alice, row) for row in (first, second, third)] == [(0, 10), (10, 20), (20, 30)]
    lease = queue.claim("worker")
    assert lease.expected == Expected(1.0, 9.0)
    assert store.get_generation(alice, first.id).eta_seconds == 10
    assert [told(store, alice, row) for row in (second, third)] == [(10, 20), (20, 30)]


@pytest.mark.parametrize(
    "other",
    [
        *({"engine": "another"}, {"engine_version": "2"}, {"type": "image"}, {"width": 128}, {"height": 128}),
        {"recipe": {"settings": {"steps": 50}}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_run_of_another_kind_is_no_basis(render, submit, alice, store, other):
    render(10)
    assert told(store, alice, submit(alice, **other)) == (None, None)
    assert told(store, alice, submit(alice)) == (None, None), "nor for what stands behind one that has none"


def test_steps_tell_their_own_pace(render, submit, alice, store):
    for steps, seconds in ((10, 5), (50, 25)):
        render(seconds, recipe={"settings": {"steps": steps}})
    row = submit(alice, recipe={"settings": {"steps": 50}})
    assert told(store, alice, row) == (0, 25)


def test_it_outlives_a_restart(render, submit, alice, database, clock):
    render(10)
    again = Store(database, clock, workers=1)
    assert told(again, alice, submit(alice)) == (0, 10)


def test_frames_scale_the_time_but_not_the_start_and_only_within_reach(render, submit, alice, store):
    render(10, startup=2.0, duration_seconds=1.0, fps=8)
    assert told(store, alice, submit(alice, duration_seconds=2.0, fps=8)) == (0, 18)
    assert told(store, alice, submit(alice, duration_seconds=8.0, fps=8)) == (None, None)


def test_a_run_out_of_the_common_moves_nothing(render, submit, alice, store):
    for seconds in (10, 11, 9, 300, 10):
        render(seconds)
    assert told(store, alice, submit(alice)) == (0, 10)


def test_a_machine_that_changes_is_followed(render, submit, alice, store):
    for seconds in [40] * MAX_RUNS_PER_KIND + [8] * (MAX_RUNS_PER_KIND // 2 + 1):
        render(seconds)
    assert told(store, alice, submit(alice)) == (0, 8)


def test_what_was_not_rendered_whole_counts_for_nothing(render, queue, submit, alice, store, clock):
    for end in ("cancelled", "engine_error"):
        submit(alice)
        lease = queue.claim("worker")
        clock.now += 500
        store.fail(Fence(lease.generation_id, lease.attempt), end, "", retryable=True)
    row = submit(alice)
    queue.lose(queue.claim("worker"), "Gone.")
    lease = queue.claim("worker")
    finish(store, lease, row, None)  # what a worker tells of an attempt that went on from a checkpoint
    assert told(store, alice, submit(alice)) == (None, None)


def test_what_is_kept_is_bounded(render, database, monkeypatch):
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


def test_the_line_is_told_again_when_a_render_turns_out_slower(render, queue, submit, alice, store, clock, database):
    render(10)
    first, second = submit.project(alice, 2)
    queue.claim("worker")
    heard = []
    database.listen(heard.extend)
    clock.now += 4
    store.update_expectations()
    assert heard == [], "who counts down is still right"
    clock.now += 5
    with database.write() as unit:  # nine seconds in, it says that it needs twenty more
        unit.connection.exec_driver_sql(
            "UPDATE generations SET eta_seconds = 20, updated_at = ? WHERE id = ?", (clock.now, first.id)
        )
    store.update_expectations()
    assert [(event.generation_id, event.data.expected_wait_seconds, event.data.eta_seconds) for event in heard] == [
        (second.id, 20, 30)
    ]


def test_who_is_held_for_the_lack_of_room_does_not_know_for_how_long(render, submit, alice, store):
    render(10)
    row = submit(alice)
    store.hold_queue("Waits for free disk space")
    assert told(store, alice, row) == (None, None)
    store.release_queue()
    assert told(store, alice, row) == (0, 10)


def test_nobody_knows_without_knowing_how_many_render(render, database, clock, submit, alice):
    render(10)
    row = submit(alice)
    for workers in (None, 0):
        again = Store(database, clock, workers=workers)
        again.move_generation(alice, row.id, row.id)
        other = submit(alice)
        again.cancel_generation(alice, other.id)
        assert told(again, alice, row) == (None, None)


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
def test_a_schedule_gives_each_renderer_the_next_in_line(running, queued, workers, expected):
    assert schedule(running, queued, workers) == expected


def test_the_rest_shrinks_with_progress_and_is_never_less_than_nothing():
    expected = Expected(startup=2.0, body=10.0)
    assert expected.rest(0, 0) == expected.total == 12
    assert expected.rest(0, 60) == 10, "a late start leaves all of the work"
    assert expected.rest(50, 7) == 5
    assert expected.rest(120, 7) == 0
