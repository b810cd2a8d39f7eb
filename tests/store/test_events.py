import pytest

from tests.support.published import Published
from tests.support.rows import result
from videogen.core.errors import NotFoundError
from videogen.store import Fence, Progress

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def events(database):
    """All events that are published from now on."""
    return Published(database)


@pytest.fixture
def progress(store, clock):
    """Records a percentage of a generation in its first attempt."""

    def record(row, percent):
        clock.now += 1
        store.record_progress(Fence(row.id, 1), Progress(percent, "rendering", int(percent), 100, "", None))

    return record


def _open(store, session_id, kind, value, after=None):
    return store.open_scope(session_id, (kind, value), after)


def _ids(opening):
    return [event.id for event in opening.backlog]


def test_a_new_subscriber_gets_the_newest_snapshot_of_each_active_generation(
    store, queue, submit, alice, events, progress
):
    first, second = submit.project(alice, 2)
    queue.claim("worker")
    progress(first, 10)
    progress(first, 20)
    opening = _open(store, alice, "session", alice)
    assert {(event.generation_id, event.data.progress) for event in opening.backlog} == {
        (first.id, 20.0),
        (second.id, 0.0),
    }
    assert _ids(opening) == sorted(_ids(opening))
    assert opening.active == {first.id, second.id}
    assert opening.cursor == events[-1].id


def test_a_snapshot_has_an_ended_generation_only_in_its_own_stream(store, queue, submit, alice):
    ended, other = submit.project(alice, 2)
    queue.claim("worker")
    store.complete(Fence(ended.id, 1), result(ended))
    for kind, value in (("session", alice), ("project", ended.project_id)):
        opening = _open(store, alice, kind, value)
        assert [event.generation_id for event in opening.backlog] == [other.id]
        assert opening.active == {other.id}
    alone = _open(store, alice, "generation", ended.id)
    assert [(event.type, event.data.status) for event in alone.backlog] == [("render_result", "completed")]
    assert alone.active == frozenset()


@pytest.mark.parametrize("kind", ["session", "project", "generation"])
def test_a_replay_has_all_events_after_an_id_once_and_in_order(
    store, queue, submit, alice, bob, events, progress, kind
):
    submit(bob)
    row, _ = submit.project(alice, 2)
    submit(alice)
    queue.claim("worker")
    queue.claim("worker")
    for percent in (10, 20, 30):
        progress(row, percent)
    store.complete(Fence(row.id, 1), result(row))
    value = {"session": alice, "project": row.project_id, "generation": row.id}[kind]
    field = {"session": "session_id", "project": "project_id", "generation": "generation_id"}[kind]
    in_scope = [event for event in events if getattr(event, field) == value]
    assert len(in_scope) >= 5
    for after in range(events[-1].id + 1):
        opening = _open(store, alice, kind, value, after)
        assert opening.backlog == [event for event in in_scope if event.id > after]
        assert opening.cursor == max([after, *_ids(opening)])


def test_after_the_last_event_there_is_nothing_to_replay(store, submit, alice, events):
    row = submit(alice)
    store.cancel_generation(alice, row.id)
    opening = _open(store, alice, "generation", row.id, events[-1].id)
    assert (opening.backlog, opening.active) == ([], frozenset())


def test_an_id_that_was_never_given_gets_the_snapshot(store, submit, alice, events):
    row = submit(alice)
    opening = _open(store, alice, "generation", row.id, events[-1].id + 1)
    assert _ids(opening) == [events[-1].id]
    assert opening.cursor == events[-1].id


def test_an_id_stays_known_after_its_generation_was_deleted(store, submit, alice, events):
    waiting, removed = submit(alice), submit(alice)
    store.cancel_generation(alice, removed.id)
    seen = events[-1].id
    store.delete_generation(alice, removed.id)
    opening = _open(store, alice, "session", alice, seen)
    assert opening.backlog == [], "no event is sent twice"
    assert opening.cursor == seen
    assert opening.active == {waiting.id}


def test_ids_rise_and_are_never_reused(store, submit, alice, events):
    row = submit(alice)
    store.cancel_generation(alice, row.id)
    store.delete_generation(alice, row.id)
    submit(alice)
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))


def test_an_empty_session_has_an_empty_opening(store, alice):
    opening = _open(store, alice, "session", alice)
    assert (opening.backlog, opening.active) == ([], frozenset())


@pytest.mark.parametrize("after", [None, 0, 1])
def test_streams_of_another_session_are_not_found(store, submit, alice, bob, after):
    row = submit(alice)
    for kind, value in (("generation", row.id), ("project", row.project_id), ("generation", "gen_none")):
        with pytest.raises(NotFoundError):
            _open(store, bob, kind, value, after)


@pytest.mark.parametrize("after", [None, 0])
def test_a_session_gets_only_its_own_events(store, submit, alice, bob, after):
    mine, _ = submit(alice), submit(bob)
    opening = _open(store, alice, "session", alice, after)
    assert {event.generation_id for event in opening.backlog} == {mine.id}
