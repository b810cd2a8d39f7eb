"""What has ended is kept for its time; favourites, shared ones and Keep; removal is one short transaction."""

import pytest
from sqlmodel import select

from tests.support.rows import file_row, result
from videogen.core.in_use import RECENT_SECONDS
from videogen.db.tables import EventRow, FileRow, GenerationRow, ProjectRow, ShareRow
from videogen.store import Failure, RetentionRules
from videogen.store.retention import ALMOST_FULL, MAX_WARNING_SECONDS, USED_SECONDS

pytestmark = pytest.mark.databases("sqlite", "postgresql")

HOUR = 3600.0
RULES = RetentionRules(seconds=2 * HOUR)
SAME = RetentionRules(seconds=2 * HOUR, keeps_favorites=False, keeps_shared=False)


@pytest.fixture
def finished(submit, queue, store):
    """A generation of a session that has ended now."""

    def finish(session_id, *, failure=False):
        row = submit(session_id)
        lease = queue.claim("worker")
        outcome = Failure("engine_failed", "no", retryable=True) if failure else result(row)
        queue.finish(lease, outcome)
        return store.get_generation(session_id, row.id)

    return finish


def _due(store, rules):
    return [one.id for one in store.due_for_retention(rules, (), 100)]


def test_everything_that_has_ended_is_due_after_its_time_and_nothing_before(store, alice, bob, finished, submit, clock):
    old, failed = finished(alice), finished(bob, failure=True)
    clock.now += 1
    young = finished(alice)
    running = submit(alice)
    clock.now += RULES.seconds - 1
    assert _due(store, RULES) == [old.id, failed.id]
    assert store.next_expiry(RULES) == clock.now + 1
    clock.now += 1
    assert _due(store, RULES) == [old.id, failed.id, young.id]
    assert store.next_expiry(RULES) is None
    clock.now += 1000 * HOUR
    assert running.id not in _due(store, RULES), "what has not ended has no time"


def test_the_trash_is_no_way_around_it(store, alice, finished, clock):
    row = finished(alice)
    store.trash(alice, [row.id], clock.now + 1000 * HOUR)
    clock.now += RULES.seconds
    assert _due(store, RULES) == [row.id]


@pytest.mark.parametrize("kept", ["favorite", "shared"])
def test_favourites_and_shared_ones_are_kept_or_not_as_set_and_count_anew_afterwards(
    store, alice, finished, clock, kept
):
    row = finished(alice)
    if kept == "favorite":
        store.patch_generation(alice, row.id, {"favorite": True})
    else:
        store.put_share(alice, row.id, {"expires_at": None})
    clock.now += 10 * RULES.seconds
    now = store.get_generation(alice, row.id)
    shared = store.shared_ids([row.id])
    assert RULES.expires_at(now, is_shared=row.id in shared) is None
    assert SAME.expires_at(now, is_shared=row.id in shared) == row.finished_at + SAME.seconds
    assert (_due(store, RULES), _due(store, SAME)) == ([], [row.id])
    if kept == "favorite":
        store.patch_generation(alice, row.id, {"favorite": False})
    else:
        store.end_share(alice, row.id)
    assert _due(store, RULES) == [], "who takes the mark away does not lose it at once"
    clock.now += RULES.seconds
    assert _due(store, RULES) == [row.id]


def test_after_an_expired_link_the_time_counts_anew(store, alice, finished, clock):
    row = finished(alice)
    store.put_share(alice, row.id, {"expires_at": clock.now + 5 * HOUR})
    clock.now += 5 * HOUR
    store.remove_expired()
    assert RULES.expires_at(store.get_generation(alice, row.id), is_shared=False) == clock.now + RULES.seconds


def test_keep_counts_anew_for_its_owner_alone(store, alice, bob, finished, submit, clock):
    row = finished(alice)
    clock.now += RULES.seconds - 1
    with pytest.raises(Exception, match="another session"):
        store.keep(bob, row.id)
    assert store.keep(alice, row.id).kept_from == clock.now
    assert store.next_expiry(RULES) == clock.now + RULES.seconds
    assert store.keep(alice, submit(alice).id).kept_from is None, "it counts from its end anyway"


def test_the_warning_is_the_last_tenth_of_the_time_and_at_most_a_day(store, alice, bob, finished, clock):
    assert RULES.warning_seconds == pytest.approx(0.2 * HOUR)
    assert RetentionRules(seconds=9000 * HOUR).warning_seconds == MAX_WARNING_SECONDS
    row = finished(alice)
    finished(bob)
    clock.now += HOUR
    later = finished(alice)
    rows, following = store.expiring(alice, RULES)
    assert (rows, following) == ([], row.finished_at + RULES.seconds)
    clock.now += 0.8 * HOUR
    rows, following = store.expiring(alice, RULES)
    assert ([one.id for one in rows], following) == ([row.id], later.finished_at + RULES.seconds)


def test_in_a_storage_that_is_almost_full_the_least_recently_used_goes_first(store, alice, bob, finished, clock):
    rows = []
    for owner in (alice, bob, alice, alice):
        clock.now += 1
        rows.append(finished(owner))
    store.patch_generation(alice, rows[0].id, {"favorite": True})
    store.patch_generation(alice, rows[2].id, {"title": "the third"})

    def first(limit, session_id=None, **rules):
        rules = RetentionRules(**{"seconds": HOUR, "max_bytes": limit, "max_bytes_per_session": limit} | rules)
        return store.first_to_go(rules, session_id)

    size = 2 * 1234
    assert first(round(4 * size / ALMOST_FULL) + 1).by_session == {}
    found = first(round(4 * size / ALMOST_FULL) - 1)
    assert found.percent == 85
    assert found.by_session == {bob: [(rows[1].id, rows[1].prompt)]}, "not the favourite"
    assert first(4 * size).by_session == found.by_session, "as much as is above 85 %"
    assert first(3 * size).by_session[alice] == [(rows[2].id, "the third")]
    mine = first(3 * size, alice).by_session
    assert mine == {alice: [(rows[2].id, "the third")]}
    assert first(4 * size, alice).by_session == {}
    assert first(4 * size, seconds=0).by_session == first(0).by_session == {}, "without retention nothing goes"
    clock.now += 1
    store.keep(alice, rows[2].id)
    assert first(3 * size, alice).by_session[alice][0][0] == rows[3].id, "Keep counts as a use"


def test_the_last_use_is_stored_to_within_an_hour(store, alice, finished, clock):
    first, second = finished(alice), finished(alice)
    end = clock.now
    store.write_generation_uses({first.id: end + USED_SECONDS - 1})
    assert store.get_generation(alice, first.id).used_at == end
    store.write_generation_uses({first.id: end + USED_SECONDS, "gen_unknown": end})
    assert store.get_generation(alice, first.id).used_at == end + USED_SECONDS
    assert [one.id for one in store.least_recently_used(RULES, None, (), 10)] == [second.id], "the other is in use"
    clock.now = end + USED_SECONDS + RECENT_SECONDS
    found = store.least_recently_used(RULES, None, (), 10)
    assert [one.id for one in found] == [second.id, first.id]
    assert [one.size_bytes for one in found] == [2 * 1234, 2 * 1234]
    assert store.removable_bytes(RULES) == store.removable_bytes(RULES, alice) == 4 * 1234


def test_removal_takes_all_rows_and_leaves_the_link_which_says_that_it_is_gone(
    store, database, alice, finished, submit, clock
):
    row, (first, second) = finished(alice), submit.project(alice, 2)
    store.cancel_generation(alice, first.id)
    slug = store.put_share(alice, row.id, {})[0].slug
    gone = store.remove_ended([row.id, first.id, second.id], RULES.removable(clock.now))
    assert gone == {first.id}, "shared ones and queued ones stay"
    assert store.remove_ended([row.id], SAME.removable(clock.now)) == {row.id}
    with database.read() as session:
        assert set(session.exec(select(GenerationRow.id))) == {second.id}
        assert set(session.exec(select(EventRow.generation_id))) == {second.id}
        assert session.exec(select(FileRow)).all() == []
        assert set(session.exec(select(ProjectRow.id))) == {second.project_id}
        assert session.exec(select(ShareRow.generation_id)).all() == [None]
    assert store.find_share(slug)[1] is None


@pytest.mark.databases("sqlite")
def test_what_is_due_is_found_by_an_index(database, store, clock):
    def plan(query):
        with database.read() as session:
            compiled = query.compile(database._readers, compile_kwargs={"literal_binds": True})
            return str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all())

    queries = []
    store._candidates = lambda query: queries.append(query) or []
    store.due_for_retention(RULES, ("gen_a",), 20)
    store.least_recently_used(RULES, None, ("gen_a",), 20)
    assert "ix_generations_kept_from" in plan(queries[0])
    assert "ix_generations_used_at" in plan(queries[1])
    assert "TEMP B-TREE" not in plan(queries[0]) + plan(queries[1])


def test_the_sessions_above_a_size(store, database, alice, bob, finished):
    row = finished(alice)
    finished(bob)
    with database.write() as unit:
        unit.session.add(file_row(row, "log"))
    assert store.sessions_above(2 * 1234) == [alice]
