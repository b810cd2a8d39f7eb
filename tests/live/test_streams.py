"""Event streams: snapshot or replay, live events, heartbeats and the end; nothing lost, nothing twice."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rows import result, stored_event
from tests.support.sse import parse
from videogen.core.errors import NotFoundError
from videogen.core.security import Signer
from videogen.live.hub import TICKS, Hub
from videogen.live.streams import open_stream
from videogen.services.serializers import Serializer
from videogen.store import Fence, Opening, Progress

pytestmark = pytest.mark.databases("sqlite", "postgresql")

GENERATION = ("generation", "gen_a")


def encode(event):
    return b'event: %b\nid: %d\ndata: {"generationId": "%b"}\n\n' % (
        event.type.encode(),
        event.id,
        event.generation_id.encode(),
    )


class FakeStore:
    """A store that holds events in memory, and calls `meanwhile` in the middle of each opening."""

    def __init__(self, events=(), active=("gen_a",)):
        self.events = list(events)
        self.active = frozenset(active)
        self.meanwhile = lambda: None

    def open_scope(self, session_id, scope, after):
        self.meanwhile()
        cursor = after or 0
        backlog = [event for event in self.events if event.id > cursor]
        ended = {event.generation_id for event in self.events if event.type != "render_progress"}
        return Opening(backlog, max([cursor, *(event.id for event in backlog)]), self.active - ended, cursor)


@pytest.fixture
async def hub():
    hub = Hub(encode)
    hub.open()
    yield hub
    hub.close()


async def _all(stream):
    """Everything that a stream sends, until it has ended."""
    chunks = []
    while chunk := await stream.read():
        chunks.append(chunk)
    return b"".join(chunks)


async def test_a_stream_begins_with_the_retry_time_and_the_backlog(hub):
    fake_store = FakeStore([stored_event(1), stored_event(2, kind="render_result")])
    stream = await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, None)
    body = await _all(stream)
    assert body.startswith(b"retry: 1000\n")
    assert [(event.id, event.event) for event in parse(body)] == [(1, "render_progress"), (2, "render_result")]


async def test_a_stream_of_one_generation_ends_right_after_its_terminal_event(hub):
    stream = await open_stream(FakeStore([stored_event(1)]).open_scope, hub, "ses_a", GENERATION, None)
    reading = asyncio.create_task(_all(stream))
    hub.publish([stored_event(2), stored_event(3, kind="error"), stored_event(4, "gen_other")])
    assert [event.id for event in parse(await reading)] == [1, 2, 3]


async def test_a_stream_of_a_project_ends_after_the_last_of_its_generations(hub):
    fake_store = FakeStore([stored_event(1), stored_event(2, "gen_b")], ["gen_a", "gen_b"])
    stream = await open_stream(fake_store.open_scope, hub, "ses_a", ("project", "prj_a"), None)
    reading = asyncio.create_task(_all(stream))
    hub.publish([stored_event(3, "gen_b", "error")])
    hub.publish([stored_event(4)])
    hub.publish([stored_event(5, kind="render_result")])
    assert [event.id for event in parse(await reading)] == [1, 2, 3, 4, 5]


async def test_a_stream_of_a_session_goes_on_when_everything_has_ended(hub):
    stream = await open_stream(FakeStore([], []).open_scope, hub, "ses_a", ("session", "ses_a"), None)
    assert await stream.read() == b"retry: 1000\n"
    hub.publish([stored_event(1, kind="render_result")])
    assert parse(await stream.read())[0].id == 1
    hub.publish([stored_event(2, "gen_b")])
    assert parse(await stream.read())[0].id == 2
    hub.close()
    assert await stream.read() == b""


async def test_what_is_removed_is_sent_once_and_without_an_id_to_the_streams_of_the_session_alone(hub):
    mine = await open_stream(FakeStore([]).open_scope, hub, "ses_a", ("session", "ses_a"), None)
    other = hub.subscribe("ses_b", ("session", "ses_b"))
    one = hub.subscribe("ses_a", GENERATION)
    await mine.read()
    hub.retention_changed("ses_a", ["gen_a"])
    assert await mine.read() == b'event: retention\ndata: {"removed":["gen_a"]}\n\n'
    hub.publish([stored_event(1)])
    assert [frame.id for frame in parse(await mine.read())] == [1]
    assert (other.take_notices(), one.take_notices()) == (b"", b"")
    mine.close()
    assert await mine.read() == b""


async def test_without_events_a_comment_is_sent_in_each_heartbeat():
    hub = Hub(encode, heartbeat=0.03)
    hub.open()
    stream = await open_stream(FakeStore([stored_event(1)]).open_scope, hub, "ses_a", GENERATION, None)
    body = b"".join([await stream.read() for _ in range(3)])
    assert body.endswith(b"\n\n: still here\n: still here\n")
    hub.publish([stored_event(2, kind="render_result")])
    assert [event.id for event in parse(body + await _all(stream))] == [1, 2], "a comment is no event"
    hub.close()


async def test_an_event_puts_the_next_comment_off():
    hub = Hub(encode, heartbeat=3600)
    hub.open()
    stream = await open_stream(FakeStore([stored_event(1)]).open_scope, hub, "ses_a", GENERATION, None)
    await stream.read()
    for number in (2, 3):
        for _ in range(TICKS - 2):
            hub._tick()
        hub.publish([stored_event(number)])
        assert parse(await stream.read())[0].id == number
    hub.close()


async def test_a_stream_says_after_which_id_it_goes_on(hub):
    fake_store = FakeStore([stored_event(1), stored_event(2)])
    resumed = [
        (await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, after)).resumed_after
        for after in (None, 0, 1)
    ]
    assert resumed == [None, 0, 1]


async def test_there_is_no_stream_when_everything_was_sent_before(hub):
    fake_store = FakeStore([stored_event(1, kind="render_result")])
    assert await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, 1) is None
    assert hub.subscriber_count == 0


async def test_an_unknown_generation_leaves_no_subscription(hub):
    def refuse(*_):
        raise NotFoundError

    fake_store = FakeStore()
    fake_store.open_scope = refuse
    with pytest.raises(NotFoundError):
        await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, None)
    assert hub.subscriber_count == 0


async def test_a_closed_stream_ends_and_leaves_no_subscription(hub):
    stream = await open_stream(FakeStore([stored_event(1)]).open_scope, hub, "ses_a", GENERATION, None)
    assert hub.subscriber_count == 1
    reading = asyncio.create_task(_all(stream))
    stream.close()
    stream.close()
    await reading
    assert hub.subscriber_count == 0


async def test_closing_the_hub_ends_every_stream(hub):
    streams = [
        await open_stream(FakeStore([stored_event(1)]).open_scope, hub, "ses_a", GENERATION, None) for _ in range(5)
    ]
    reading = [asyncio.create_task(_all(stream)) for stream in streams]
    hub.close()
    assert [len(parse(body)) for body in await asyncio.gather(*reading)] == [1] * 5


async def test_a_terminal_event_during_the_opening_is_sent_and_ends_the_stream(hub):
    fake_store = FakeStore([stored_event(1)])

    def end():
        end_event = stored_event(2, kind="render_result")
        fake_store.events.append(end_event)
        hub.publish([end_event])

    fake_store.meanwhile = end
    stream = await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, None)
    assert [event.id for event in parse(await _all(stream))] == [1, 2]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_event_is_lost_or_repeated_between_subscribing_and_reading(data):
    last = data.draw(st.integers(1, 30), label="events")
    after = data.draw(st.none() | st.integers(1, last - 1) if last > 1 else st.none(), label="Last-Event-ID")
    published = data.draw(st.integers(0, last), label="published before the reader subscribes")
    committed = data.draw(st.integers(published, last), label="committed when the reader reads")
    delivered = data.draw(st.integers(published, committed), label="of these, published by then")
    batch = data.draw(st.integers(1, 4), label="events in one commit")
    events = [stored_event(number) for number in range(1, last)] + [stored_event(last, kind="render_result")]

    async def run():
        hub = Hub(encode)
        hub.open()
        fake_store = FakeStore(events[:published])

        def publish(begin, end):
            for index in range(begin, end, batch):
                hub.publish(events[index : min(index + batch, end)])

        def meanwhile():
            fake_store.events = events[:committed]
            publish(published, delivered)

        fake_store.meanwhile = meanwhile
        publish(0, published)
        stream = await open_stream(fake_store.open_scope, hub, "ses_a", GENERATION, after)
        publish(delivered, last)
        ids = [event.id for event in parse(await _all(stream))]
        hub.close()
        return ids

    assert asyncio.run(run()) == list(range((after or 0) + 1, last + 1))


async def test_readers_that_open_during_a_render_each_receive_all_of_it(store, database, queue, submit, alice):
    serializer = Serializer(Signer(b"a secret of many bytes"), "")
    hub = Hub(serializer.event_bytes)
    hub.open()
    ids = []
    database.listen(lambda events: ids.extend(event.id for event in events))
    database.listen(hub.publish)
    row = submit(alice)
    queue.claim("worker")
    first = ids[-1]

    def render():
        for step in range(40):
            store.record_progress(Fence(row.id, 1), Progress(step * 2.0, "rendering", step, 40, "", None))
        store.complete(Fence(row.id, 1), result(row))

    async def read(after):
        stream = await open_stream(store.open_scope, hub, alice, ("generation", row.id), after)
        return [event.id for event in parse(await _all(stream))]

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as threads:
        rendering = loop.run_in_executor(threads, render)
        readers = []
        while not rendering.done():
            readers.append(asyncio.create_task(read(first)))
            await asyncio.wait([rendering], timeout=0.01)
        await rendering
    readers.append(asyncio.create_task(read(first)))
    for received in await asyncio.gather(*readers):
        assert received == [number for number in ids if number > first]
    hub.close()
