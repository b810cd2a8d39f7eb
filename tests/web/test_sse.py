"""The response of an event stream: written where it is published, and by a task only for a reader that is slow."""

import asyncio

import pytest

from tests.support.rows import stored_event
from tests.support.sse import parse
from videogen.live.hub import BACKLOG, Hub
from videogen.live.streams import EventStream
from videogen.store import Opening
from videogen.web.sse import EventStreamResponse

GENERATION = ("generation", "gen_a")


class Reader:
    """The server's side of one connection: `send` waits while the reader does not read."""

    def __init__(self, hub):
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()
        self.body, self.complete, self.sends = b"", False, 0
        stream = EventStream(hub, hub.subscribe("ses_a", GENERATION), Opening([], 0, frozenset(["gen_a"])), None)
        self.serving = asyncio.create_task(EventStreamResponse(stream)({"type": "http"}, self.receive, self.send))

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.reads.wait()
        if message["type"] == "http.response.body":
            assert not self.complete, "nothing may follow the end"
            self.sends += 1
            self.body += message["body"]
            self.complete = not message["more_body"]
            if self.complete:
                self.gone.set()

    @property
    def ids(self):
        return [frame.id for frame in parse(self.body)]


@pytest.fixture
async def hub():
    hub = Hub(lambda event: b"event: %b\nid: %d\ndata: {}\n\n" % (event.type.encode(), event.id))
    hub.open()
    yield hub
    hub.close()


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_events_are_written_in_the_turn_in_which_they_are_published(hub):
    reader = Reader(hub)
    await turns()
    tasks = asyncio.all_tasks()
    for number in range(1, 4):
        hub._deliver([stored_event(number)])
        assert reader.ids[-1] == number
    assert asyncio.all_tasks() == tasks, "no task for an event"
    hub._deliver([stored_event(4, kind="render_result")])
    await asyncio.wait_for(reader.serving, 5)
    assert (reader.ids, reader.complete) == ([1, 2, 3, 4], True)
    assert hub.listeners == 0


async def test_a_slow_reader_holds_up_nobody_and_gets_the_newest_when_it_reads_again(hub):
    slow, quick = Reader(hub), Reader(hub)
    await turns()
    slow.reads.clear()
    for number in range(1, 3 * BACKLOG):
        hub._deliver([stored_event(number)])
    assert quick.ids == list(range(1, 3 * BACKLOG))
    assert slow.ids == []
    slow.reads.set()
    await turns()
    assert len(slow.ids) <= BACKLOG + 1
    assert slow.ids == sorted(set(slow.ids))
    assert slow.ids[-1] == 3 * BACKLOG - 1
    # Caught up: live again, without a task.
    hub._deliver([stored_event(1000)])
    assert slow.ids[-1] == 1000
    for reader in (slow, quick):
        reader.gone.set()
        await asyncio.wait_for(reader.serving, 5)


async def test_an_end_reaches_a_slow_reader_once(hub):
    slow = Reader(hub)
    await turns()
    slow.reads.clear()
    hub._deliver([stored_event(1)])
    hub._deliver([stored_event(2, kind="error")])
    slow.reads.set()
    await asyncio.wait_for(slow.serving, 5)
    assert (slow.ids, slow.complete) == ([1, 2], True)


async def test_a_slow_reader_that_leaves_is_let_go(hub):
    slow = Reader(hub)
    await turns()
    before = asyncio.all_tasks() - {slow.serving}
    slow.reads.clear()
    hub._deliver([stored_event(1)])
    await turns()
    slow.gone.set()
    await asyncio.wait_for(slow.serving, 5)
    await turns()
    assert asyncio.all_tasks() == before
    assert hub.listeners == 0


async def test_a_write_that_fails_ends_the_stream_quietly(hub, caplog):
    reader = Reader(hub)
    await turns()

    async def broken():
        raise ConnectionResetError

    reader.reads.wait = broken
    hub._deliver([stored_event(1)])
    assert hub.listeners == 0
    reader.gone.set()
    await asyncio.wait_for(reader.serving, 5)
    assert caplog.records == []


async def test_a_server_that_stops_ends_the_stream(hub):
    reader = Reader(hub)
    await turns()
    hub.close()
    await asyncio.wait_for(reader.serving, 5)
    assert (reader.complete, reader.body) == (True, b"retry: 1000\n")
