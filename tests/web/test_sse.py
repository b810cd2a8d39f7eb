"""The response of an event stream: one task per reader, and a slow reader affects no other."""

import asyncio

import pytest

from tests.support.rows import stored_event
from tests.support.sse import parse
from videogen.live.hub import MAX_PENDING, Hub
from videogen.live.streams import EventStream
from videogen.store import Opening
from videogen.web.sse import EventStreamResponse

GENERATION = ("generation", "gen_a")
TIMEOUT = 20
"""Seconds after which a wait has failed."""


class Reader:
    """The server's side of one connection: as in uvicorn, `send` waits while the reader neither reads nor leaves."""

    def __init__(self, hub):
        self.reads = asyncio.Event()
        self.reads.set()
        self.left = asyncio.Event()
        self.over = asyncio.Event()
        self.body, self.complete = b"", False
        self.received = asyncio.Condition()
        stream = EventStream(hub, hub.subscribe("ses_a", GENERATION), Opening([], 0, frozenset(["gen_a"])), None)
        self.response = asyncio.create_task(EventStreamResponse(stream)({"type": "http"}, self.receive, self.send))

    async def receive(self):
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.reads.wait()
        if message["type"] == "http.response.body" and not self.left.is_set():
            assert not self.complete, "nothing may follow the end"
            async with self.received:
                self.body += message["body"]
                self.complete = not message["more_body"]
                if self.complete:
                    self.over.set()
                self.received.notify_all()

    def leave(self):
        self.left.set()
        self.over.set()
        self.reads.set()

    @property
    def ids(self):
        return [event.id for event in parse(self.body)]

    async def until(self, number):
        """Wait until the event with this id has been sent."""
        async with asyncio.timeout(TIMEOUT), self.received:
            await self.received.wait_for(lambda: number in self.ids)

    async def opened(self):
        async with asyncio.timeout(TIMEOUT), self.received:
            await self.received.wait_for(lambda: self.body)

    async def ended(self):
        await asyncio.wait_for(self.response, TIMEOUT)


@pytest.fixture
async def hub():
    hub = Hub(lambda event: b"event: %b\nid: %d\ndata: {}\n\n" % (event.type.encode(), event.id))
    hub.open()
    yield hub
    hub.close()


async def test_events_are_sent_in_order_until_the_terminal_one(hub):
    reader = Reader(hub)
    for number in range(1, 4):
        hub.publish([stored_event(number)])
        await reader.until(number)
    hub.publish([stored_event(4, kind="render_result")])
    await reader.ended()
    assert (reader.ids, reader.complete) == ([1, 2, 3, 4], True)
    assert hub.subscriber_count == 0


async def test_a_slow_reader_slows_no_other_and_gets_the_latest_when_it_reads_again(hub):
    slow, fast = Reader(hub), Reader(hub)
    await asyncio.gather(slow.opened(), fast.opened())
    slow.reads.clear()
    last = 3 * MAX_PENDING
    for number in range(1, last + 1):
        hub.publish([stored_event(number)])
        await fast.until(number)
    assert fast.ids == list(range(1, last + 1))
    assert slow.ids == []
    slow.reads.set()
    await slow.until(last)
    assert len(slow.ids) <= MAX_PENDING + 1
    assert slow.ids == sorted(set(slow.ids))
    hub.publish([stored_event(last + 1)])
    await slow.until(last + 1)


async def test_a_terminal_event_reaches_a_slow_reader_once(hub):
    slow = Reader(hub)
    await slow.opened()
    slow.reads.clear()
    hub.publish([stored_event(1)])
    hub.publish([stored_event(2, kind="error")])
    slow.reads.set()
    await slow.ended()
    assert (slow.ids, slow.complete) == ([1, 2], True)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_reader_that_disconnects_leaves_neither_task_nor_subscription(hub, slow):
    before = asyncio.all_tasks()
    reader = Reader(hub)
    await reader.opened()
    if slow:
        reader.reads.clear()
        hub.publish([stored_event(1)])
    reader.leave()
    await reader.ended()
    await asyncio.wait_for(asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True), TIMEOUT)
    assert asyncio.all_tasks() == before
    assert hub.subscriber_count == 0


async def test_a_write_error_ends_the_stream_without_a_log_entry(hub, caplog):
    reader = Reader(hub)
    await reader.opened()

    async def broken():
        reader.over.set()
        raise ConnectionResetError

    reader.reads.wait = broken
    hub.publish([stored_event(1)])
    await reader.ended()
    assert hub.subscriber_count == 0
    assert caplog.records == []


async def test_a_server_that_stops_ends_the_stream(hub):
    reader = Reader(hub)
    await reader.opened()
    hub.close()
    await reader.ended()
    assert (reader.complete, reader.body) == (True, b"retry: 1000\n")
