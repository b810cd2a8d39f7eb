from itertools import pairwise

import orjson
import pytest

from tests.support.rows import Clock, fields, file_row
from videogen.core.clock import MAX_AHEAD_SECONDS, SteadyClock
from videogen.core.security import Signer
from videogen.schemas.events import decode
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.services.serializers import Serializer
from videogen.store import Fence, Filter, Progress, Result
from videogen.ui.board import Board

HOUR = 3600.0
SIGNER = Signer(b"a secret of many bytes")


@pytest.fixture
def wall():
    """The machine's clock, which anybody may set."""
    return Clock()


@pytest.fixture
def ticks():
    """The time since the machine was started."""
    return Clock(1000.0)


@pytest.fixture
def steady(wall, ticks):
    return SteadyClock(wall, ticks)


def _pass(seconds, *clocks):
    for clock in clocks:
        clock.now += seconds


def test_it_follows_the_system_clock_while_nobody_sets_that(steady, wall, ticks):
    for seconds in (0.0, 0.5, 1000.0):
        _pass(seconds, wall, ticks)
        assert steady() == wall.now


def test_a_system_clock_that_is_set_back_is_not_followed_until_it_has_caught_up(steady, wall, ticks):
    before = steady()
    wall.now -= HOUR
    _pass(10, wall, ticks)
    assert steady() == before + 10, "it goes on at its own pace"
    _pass(HOUR, wall)
    assert steady() == wall.now == before + 10


def test_a_system_clock_that_is_set_forward_is_followed_at_once(steady, wall):
    steady()
    wall.now += 10 * 365 * 24 * HOUR
    assert steady() == wall.now


def test_a_system_clock_that_was_far_ahead_is_followed_back(steady, wall, ticks):
    before = steady()
    wall.now += 10 * 365 * 24 * HOUR
    steady()
    wall.now = before
    _pass(5, wall, ticks)
    assert steady() == before + 5


def test_not_before_sets_the_earliest_time(steady, wall):
    steady.not_before(wall.now + 60)
    assert steady() == wall.now + 60
    steady.not_before(wall.now + MAX_AHEAD_SECONDS + 60)
    assert steady() == wall.now + 60, "a time far ahead was a wrong one"
    steady.not_before(0.0)
    assert steady() == wall.now + 60


# Integration: the clock is set by an hour in either direction at every step.


@pytest.fixture
def events(database):
    serializer, decoded = Serializer(SIGNER, ""), []

    def decode_all(stored):
        for event in stored:
            lines = serializer.event_bytes(event).decode().splitlines()
            data = orjson.loads(lines[2].removeprefix("data: "))
            decoded.append(decode(event.type, event.id, data))

    database.listen(decode_all)
    return decoded


def _progress(step):
    return Progress(percent=step, stage="rendering", step=step, total_steps=100, message="", eta_seconds=None)


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -24 * 365 * HOUR])
def test_a_page_shows_every_event_when_the_clock_is_set(store, queue, submit, alice, clock, events, jump):
    row = submit(alice)
    board = Board()
    board.put(_shown(store, alice, row.id))
    events.clear()
    lease = queue.claim("worker")
    fence = Fence(row.id, lease.attempt)
    for step in (10, 20, 30):
        clock.now += jump if step == 20 else 1
        store.record_progress(fence, _progress(step))
    clock.now -= HOUR
    store.record_preview(fence, file_row(row, "preview"))
    clock.now -= HOUR
    store.complete(fence, Result(file_row(row), None, 64, 64, 8, 0.5))

    steps = []
    for event in events:
        board.apply(event)
        steps.append(board.get(row.id).step)
    assert [step for step in steps if step] == [10, 20, 30, 30, 30]
    assert board.get(row.id).status is Status.COMPLETED
    times = [event.at for event in events]
    assert all(first <= second for first, second in pairwise(times))
    ended = store.get_generation(alice, row.id)
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert ended.finished_at <= ended.updated_at
    assert fields(ended)["progress"] == 100


def _shown(store, session, generation_id):
    row = store.get_generation(session, generation_id)
    return Generation.model_validate(Serializer(SIGNER, "").generation(row, store.clock()).model_dump())


def test_a_session_that_was_served_by_a_clock_ahead_is_not_last_for_ever(store, queue, submit, alice, bob, clock):
    clock.now += 10 * 365 * 24 * HOUR
    submit(alice)
    queue.claim("worker")
    clock.now -= 10 * 365 * 24 * HOUR
    queue.recover()
    clock.now += 1
    submit(bob)
    assert queue.claim("worker")
    assert queue.claim("worker")
    mine, theirs = submit(alice), submit(bob)
    assert {queue.claim("worker").generation_id for _ in range(2)} == {mine.id, theirs.id}
    clock.now += 1
    first = submit(alice)
    assert store.get_generation(alice, first.id).queue_position == 1


def test_the_history_is_in_the_order_of_submits_when_the_clock_is_set(store, submit, alice, clock):
    ids = []
    for _ in range(4):
        ids.append(submit(alice).id)
        clock.now -= HOUR
    listed, _ = store.list_generations(alice, Filter(), None, 10)
    assert [row.id for row in listed] == ids[::-1]


def test_a_start_after_the_clock_was_set_back_continues_from_the_newest_time(store, submit, alice, clock, wall, ticks):
    row = submit(alice)
    wall.now = row.created_at - HOUR
    steady = SteadyClock(wall, ticks)
    steady.not_before(store.newest_time())
    assert steady() == row.created_at


@pytest.mark.parametrize("jump", [-HOUR, 12 * HOUR])
def test_a_signed_link_stays_valid_when_the_clock_is_set(clock, jump):
    exp, sig = (part.partition("=")[2] for part in SIGNER.link("fil_a", clock.now).split("&"))
    assert SIGNER.verify("fil_a", exp, sig, clock.now + jump)
