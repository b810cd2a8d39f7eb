"""Seconds of video of one session, and of one address, in any 24 hours."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest
from sqlmodel import select

from tests.support.rows import PLENTY, generation_row, project_row, result
from videogen.core.errors import LimitExceededError
from videogen.db.tables import QuotaRow
from videogen.schemas.generations import Attention
from videogen.store import Failure, Fence, Progress, Unknown
from videogen.store.quotas import IMAGE_SECONDS, WINDOW_SECONDS

pytestmark = pytest.mark.databases("sqlite", "postgresql")

TEN = replace(PLENTY, quotas={"bars": 10.0})


@pytest.fixture
def ask(store):
    """Submits videos of so many seconds each; returns their rows."""

    def ask(session_id, *seconds, address="here", limits=TEN, **values):
        project = project_row(session_id, store.clock())
        rows = [generation_row(project, duration_seconds=one, address_hash=address, **values) for one in seconds]
        return store.create_project(project, rows, limits)[0]

    return ask


def _used(store, session_id, address="here", engine="bars"):
    return store.quota_uses(session_id, address, [engine])[engine]


def test_a_session_gets_its_seconds_and_no_more_and_is_told_when_there_is_more(store, alice, ask, clock):
    begun = clock.now
    ask(alice, 4)
    clock.now += 100
    ask(alice, 3, 3)
    clock.now += 50
    assert (_used(store, alice).seconds, _used(store, alice).resets_at) == (10, begun + WINDOW_SECONDS)
    with pytest.raises(
        LimitExceededError, match=r"asks for 4 seconds, and 0 of 10 are left .* again in 24 hours"
    ) as one:
        ask(alice, 4)
    assert one.value.retry_after == WINDOW_SECONDS - 150
    assert (one.value.limit.name, one.value.limit.amount, one.value.limit.used) == ("quota_per_session", 10, 10)
    with pytest.raises(LimitExceededError) as more:
        ask(alice, 2, 3)
    assert more.value.retry_after == WINDOW_SECONDS - 50, "the first submit alone is not enough"
    clock.now += one.value.retry_after
    ask(alice, 4)
    assert _used(store, alice).seconds == 10


def test_a_new_session_of_the_same_address_does_not_begin_anew_and_another_engine_does(store, alice, bob, ask):
    ask(alice, 8)
    with pytest.raises(LimitExceededError, match="for one address") as refused:
        ask(bob, 3)
    assert refused.value.limit.name == "quota_per_address"
    assert (_used(store, bob).seconds, _used(store, bob, "elsewhere").seconds) == (8, 0)
    ask(bob, 3, address="elsewhere")
    ask(alice, 9, engine="slow", limits=replace(PLENTY, quotas={"bars": 10.0, "slow": 9.0}))
    ask(alice, 90, engine="free")
    assert _used(store, alice, engine="free").seconds == 0, "an engine without a quota is not counted"


def test_more_than_there_ever_is_says_so(alice, ask):
    with pytest.raises(LimitExceededError, match=r"Ask for less\."):
        ask(alice, 11)


def test_an_image_counts_as_one_second(store, alice, ask):
    ask(alice, 0, 0, type="image")
    assert _used(store, alice).seconds == 2 * IMAGE_SECONDS


def test_two_at_the_same_time_never_get_more_than_there_is(store, alice, bob, ask):
    barrier = Barrier(8)

    def at_once(number):
        barrier.wait(10)
        with suppress(LimitExceededError):
            return ask((alice, bob)[number % 2], 2, 2)
        return None

    with ThreadPoolExecutor(8) as pool:
        accepted = [rows for rows in pool.map(at_once, range(8)) if rows]
    assert len(accepted) == 2
    assert _used(store, alice).seconds == 8


def test_a_refused_or_repeated_submit_counts_nothing(store, alice, ask):
    project = project_row(alice, store.clock(), key="same")
    rows = [generation_row(project, duration_seconds=6, address_hash="here")]
    store.create_project(project, rows, TEN)
    again = project_row(alice, store.clock(), key="same")
    assert store.create_project(again, [generation_row(again, duration_seconds=6)], TEN)[1] is False

    def refuse(_unit):
        raise LimitExceededError("Too many.")

    other = project_row(alice, store.clock())
    with pytest.raises(LimitExceededError):
        store.create_project(other, [generation_row(other, duration_seconds=1)], TEN, refuse)
    assert _used(store, alice).seconds == 6


def test_what_ends_before_anything_was_rendered_is_given_back_and_nothing_else(store, alice, ask, queue):
    (cancelled,) = ask(alice, 2)
    store.cancel_generation(alice, cancelled.id)
    assert _used(store, alice).seconds == 0
    (failed,) = ask(alice, 3)
    queue.finish(queue.claim("worker"), Failure("input_missing", "gone", retryable=False))
    assert _used(store, alice).seconds == 0
    (half,) = ask(alice, 4)
    lease = queue.claim("worker")
    store.record_progress(Fence(half.id, lease.attempt), Progress(50.0, "rendering", 1, 2, "", None))
    queue.finish(lease, Failure("engine_failed", "no", retryable=True))
    assert _used(store, alice).seconds == 4
    (done,) = ask(alice, 5)
    queue.finish(queue.claim("worker"), result(done))
    store.delete_generation(alice, done.id)
    assert _used(store, alice).seconds == 9, "who deletes a result gets nothing back"
    assert failed.id


def test_what_a_service_may_have_rendered_is_not_given_back(store, alice, ask, queue):
    (row,) = ask(alice, 2)
    queue.finish(queue.claim("worker"), Unknown("Nobody knows.", Attention()))
    store.give_up(alice, row.id)
    assert _used(store, alice).seconds == 2


def test_an_edit_counts_the_new_length(store, alice, ask):
    (row,) = ask(alice, 4)
    ask(alice, 2)
    longer = {"duration_seconds": 8.0}
    assert store.edit_generation(alice, row.id, longer, row.recipe_hash, TEN.quotas).duration_seconds == 8
    assert _used(store, alice).seconds == 10
    with pytest.raises(LimitExceededError, match="8 of 10"):
        store.edit_generation(alice, row.id, {"duration_seconds": 8.5}, row.recipe_hash, TEN.quotas)
    assert store.get_generation(alice, row.id).duration_seconds == 8, "a refused edit changes nothing"
    store.edit_generation(alice, row.id, {"duration_seconds": 1.0}, row.recipe_hash, TEN.quotas)
    assert _used(store, alice).seconds == 3


def test_what_counts_no_longer_is_removed(store, database, alice, ask, clock):
    ask(alice, 4)
    clock.now += WINDOW_SECONDS - 1
    ask(alice, 4)
    clock.now += 1
    store.remove_expired()
    with database.read() as session:
        assert [row.seconds for row in session.exec(select(QuotaRow))] == [4]
    assert _used(store, alice).seconds == 4
