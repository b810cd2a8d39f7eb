from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier

import pytest
from sqlalchemy import text

from tests.support.published import Published
from tests.support.rows import fields
from videogen.core.errors import StaleWriteError
from videogen.schemas.status import TERMINAL, TRANSITIONS, Status
from videogen.store.transitions import error_columns, transition, update_running

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ALL = list(product(Status, Status))
ALLOWED = [(here, there) for here, there in ALL if there in TRANSITIONS[here]]
FORBIDDEN = [(here, there) for here, there in ALL if there not in TRANSITIONS[here]]
LATER = 1_750_000_099.0


@pytest.fixture
def events(database):
    """The events since the generation was made."""
    return Published(database)


@pytest.fixture
def row_in(database, store, submit, alice, events):
    """Makes a generation that is in a status, in attempt 2, with what a result needs."""

    def make(status):
        row = submit(alice, file_id="fil_a", size_bytes=1)
        with database.write() as unit:
            statement = text("UPDATE generations SET status = :status, attempt = 2 WHERE id = :id")
            unit.session.connection().execute(statement, {"status": status.value, "id": row.id})
        events.clear()
        return store.get_generation(alice, row.id)

    return make


@pytest.mark.parametrize(("here", "there"), ALLOWED)
def test_an_allowed_transition_changes_the_row_and_publishes_one_event(
    database, store, alice, row_in, events, here, there
):
    row = row_in(here)
    with database.write() as unit:
        held = 2 if here is Status.PROCESSING else None
        moved = transition(unit, row.id, there, LATER, {"message": "moved"}, attempt=held)
    assert fields(store.get_generation(alice, row.id)) == fields(moved)
    assert (moved.status, moved.message, moved.updated_at) == (there, "moved", LATER)
    (event,) = events
    assert (event.generation_id, event.data.status) == (row.id, there)


@pytest.mark.parametrize(("here", "there"), FORBIDDEN)
def test_a_forbidden_transition_is_refused_and_changes_nothing(database, store, alice, row_in, events, here, there):
    row = row_in(here)
    with pytest.raises(StaleWriteError), database.write() as unit:
        transition(unit, row.id, there, LATER, {"message": "moved"})
    assert store.get_generation(alice, row.id) == row
    assert events == []


@pytest.mark.parametrize("there", TERMINAL)
def test_a_terminal_transition_clears_lease_and_position_and_sets_the_end(database, row_in, there):
    row = row_in(Status.PROCESSING)
    with database.write() as unit:
        moved = transition(unit, row.id, there, LATER, {})
    assert (moved.finished_at, moved.stage) == (LATER, there)
    assert (moved.lease_owner, moved.lease_until, moved.queue_position, moved.eta_seconds) == (None, 0.0, None, None)


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_worker_with_another_attempt_cannot_write(database, store, alice, row_in, events, attempt):
    row = row_in(Status.PROCESSING)
    with pytest.raises(StaleWriteError), database.write() as unit:
        transition(unit, row.id, Status.COMPLETED, LATER, {}, attempt=attempt)
    with pytest.raises(StaleWriteError), database.write() as unit:
        update_running(unit, row.id, LATER, {"progress": 50.0}, attempt=attempt)
    assert store.get_generation(alice, row.id) == row
    assert events == []


@pytest.mark.parametrize("there", Status)
def test_a_worker_whose_generation_was_requeued_cannot_write(database, store, alice, row_in, events, there):
    row = row_in(Status.QUEUED)  # under the attempt that the worker held, until it is claimed again
    with pytest.raises(StaleWriteError), database.write() as unit:
        transition(unit, row.id, there, LATER, {}, attempt=2)
    assert store.get_generation(alice, row.id) == row
    assert events == []


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PROCESSING])
def test_update_running_is_refused_unless_processing(database, store, alice, row_in, status):
    row = row_in(status)
    with pytest.raises(StaleWriteError), database.write() as unit:
        update_running(unit, row.id, LATER, {"progress": 50.0}, attempt=2)
    assert store.get_generation(alice, row.id) == row


def test_a_transition_of_an_unknown_generation_is_refused(database):
    with pytest.raises(StaleWriteError), database.write() as unit:
        transition(unit, "gen_none", Status.CANCELLED, LATER, {})


def test_update_running_without_publish_appends_no_event(database, store, alice, row_in, events):
    row = row_in(Status.PROCESSING)
    with database.write() as unit:
        update_running(unit, row.id, LATER, {"checkpoint": {"step": 3}}, attempt=2, publish=False)
    assert store.get_generation(alice, row.id).checkpoint == {"step": 3}
    assert events == []


def test_of_concurrent_terminal_transitions_exactly_one_wins(database, store, alice, row_in, events):
    row = row_in(Status.PROCESSING)
    ends = [*TERMINAL] * 4
    barrier = Barrier(len(ends))

    def end(target):
        barrier.wait()
        try:
            with database.write() as unit:
                transition(unit, row.id, target, LATER, error_columns(target.value, "", retryable=False), attempt=2)
        except StaleWriteError:
            return None
        return target

    with ThreadPoolExecutor(len(ends)) as threads:
        winners = [target for target in threads.map(end, ends) if target]
    assert len(winners) == 1
    assert store.get_generation(alice, row.id).status == winners[0]
    assert [event.data.status for event in events] == winners
