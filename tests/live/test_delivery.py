"""What is committed reaches whoever listens: within one process on SQLite, in every process on PostgreSQL."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.sse import parse
from videogen.core.security import new_id
from videogen.live.hub import HUB, Hub
from videogen.live.streams import open_stream
from videogen.store.events import append_event

pytestmark = pytest.mark.databases("sqlite", "postgresql")

TIMEOUT = 20
"""Seconds after which a wait has failed."""


class Published:
    """Records what a source publishes, by commit."""

    def __init__(self):
        self.commits = []
        self._changed = threading.Condition()

    def __call__(self, events):
        with self._changed:
            self.commits.append([event.id for event in events])
            self._changed.notify_all()

    @property
    def ids(self):
        return [number for commit in self.commits for number in commit]

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.ids) >= count, TIMEOUT), self.commits


@pytest.fixture
def published(database):
    published = Published()
    database.listen(published)
    return published


def _commit(database, row, count=1):
    with database.write() as unit:
        for _ in range(count):
            append_event(unit, row)
        return [event.id for event in unit.events]


def test_events_of_one_commit_are_published_together_and_once(database, submit, alice, published):
    row = submit(alice)
    published.wait_for(1)
    first = _commit(database, row, 3)
    second = _commit(database, row)
    published.wait_for(5)
    assert published.commits[1:] == [first, second]


def test_a_rolled_back_event_is_not_published(database, submit, alice, published):
    row = submit(alice)

    def fail():
        with database.write() as unit:
            append_event(unit, row)
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fail()
    committed = _commit(database, row)
    published.wait_for(2)
    assert published.commits[1:] == [committed]


def test_a_published_event_is_in_the_database(database, store, submit, alice, published):
    stored = []

    def look(events):
        opening = store.open_scope(alice, ("session", alice), events[-1].id - 1)
        stored.append([event.id for event in opening.backlog] == [event.id for event in events])

    row = submit(alice)
    published.wait_for(1)
    database.listen(look)
    database.listen(published)
    for count in range(1, 4):
        _commit(database, row)
        published.wait_for(1 + 2 * count)
    assert stored == [True] * 3


def test_concurrent_writers_are_published_in_order_of_id(database, submit, alice, published):
    row = submit(alice)
    with ThreadPoolExecutor(8) as threads:
        committed = [number for ids in threads.map(lambda _: _commit(database, row), range(80)) for number in ids]
    published.wait_for(81)
    assert published.ids == sorted(set(published.ids))
    assert set(committed) <= set(published.ids)


async def test_a_reader_that_opens_during_commits_receives_every_event_after_its_cursor(database, store, submit, alice):
    hub = Hub(lambda event: b"event: %b\nid: %d\ndata: {}\n\n" % (event.type.encode(), event.id))
    hub.open()
    database.listen(hub.publish)
    row = submit(alice)
    cursor = _commit(database, row)[0]
    writing = asyncio.gather(*(asyncio.to_thread(_commit, database, row) for _ in range(40)))
    stream = await open_stream(store.open_scope, hub, alice, ("session", alice), cursor)
    last = max(number for ids in await writing for number in ids)
    received = []
    async with asyncio.timeout(TIMEOUT):
        while not received or received[-1] < last:
            received += [event.id for event in parse(await stream.read())]
    assert received == list(range(cursor + 1, last + 1))
    stream.close()
    hub.close()


async def test_a_session_hears_of_everything_that_was_removed_however_much_it_is(database, alice):
    hub = Hub(lambda _event: b"")
    hub.open()
    database.subscribe(HUB, hub.receive)
    hub.send = lambda command: database.signal(HUB, command)
    subscription = hub.subscribe(alice, ("session", alice))
    removed, heard = [new_id("gen") for _ in range(1_001)], []
    await asyncio.to_thread(hub.retention_changed, alice, removed)
    async with asyncio.timeout(TIMEOUT):
        while len(heard) < len(removed):
            await subscription.wait()
            notices = subscription.take_notices().decode().splitlines()
            for line in notices:
                heard += json.loads(line.removeprefix("data: "))["removed"] if line.startswith("data: ") else []
    assert heard == removed
    hub.close()
