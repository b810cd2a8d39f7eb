import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rows import result, stored_event
from tests.support.sse import parse
from videogen.core.errors import NotFoundError
from videogen.core.security import Signer
from videogen.live.hub import Hub
from videogen.live.streams import open_stream
from videogen.services.serializers import Serializer
from videogen.store import Fence, Opening, Progress

GENERATION = ("generation", "gen_a")


def encode(event):
    return b'event: %b\nid: %d\ndata: {"generationId": "%b"}\n\n' % (
        event.type.encode(),
        event.id,
        event.generation_id.encode(),
    )


class Journal:
    """A store that holds events in memory, and does something in the middle of each opening."""

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


async def _chunks(stream):
    """What a stream tells, as the response takes it: the opening, then the news, until it has ended."""
    news = asyncio.Event()
    yield stream.opening()
    stream.listen(news.set)
    while True:
        news.clear()
        if chunk := stream.take():
            yield chunk
        elif stream.ended:
            return
        else:
            await news.wait()


async def _all(stream):
    async with aclosing(_chunks(stream)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_stream_begins_with_the_retry_time_and_the_backlog(hub):
    journal = Journal([stored_event(1), stored_event(2, kind="render_result")])
    stream = await open_stream(journal, hub, "ses_a", GENERATION, None)
    body = await _all(stream)
    assert body.startswith(b"retry: 1000\n")
    assert [(frame.id, frame.event) for frame in parse(body)] == [(1, "render_progress"), (2, "render_result")]


async def test_a_stream_of_one_generation_ends_right_after_its_terminal_event(hub):
    stream = await open_stream(Journal([stored_event(1)]), hub, "ses_a", GENERATION, None)
    reading = asyncio.create_task(_all(stream))
    hub.publish([stored_event(2), stored_event(3, kind="error"), stored_event(4, "gen_other")])
    assert [frame.id for frame in parse(await reading)] == [1, 2, 3]


async def test_a_stream_of_a_project_ends_after_the_last_of_its_generations(hub):
    journal = Journal([stored_event(1), stored_event(2, "gen_b")], ["gen_a", "gen_b"])
    stream = await open_stream(journal, hub, "ses_a", ("project", "prj_a"), None)
    reading = asyncio.create_task(_all(stream))
    hub.publish([stored_event(3, "gen_b", "error")])
    hub.publish([stored_event(4)])
    hub.publish([stored_event(5, kind="render_result")])
    assert [frame.id for frame in parse(await reading)] == [1, 2, 3, 4, 5]


async def test_a_stream_of_a_session_goes_on_when_everything_has_ended(hub):
    stream = await open_stream(Journal([], []), hub, "ses_a", ("session", "ses_a"), None)
    async with aclosing(_chunks(stream)) as chunks:
        assert await anext(chunks) == b"retry: 1000\n"
        hub.publish([stored_event(1, kind="render_result")])
        assert parse(await anext(chunks))[0].id == 1
        hub.publish([stored_event(2, "gen_b")])
        assert parse(await anext(chunks))[0].id == 2
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


async def test_where_nothing_happens_a_comment_is_sent_now_and_then():
    hub = Hub(encode, heartbeat=0.03)
    hub.open()
    stream = await open_stream(Journal([stored_event(1)]), hub, "ses_a", GENERATION, None)
    async with aclosing(_chunks(stream)) as chunks:
        body = b"".join([await anext(chunks) for _ in range(3)])
        assert body.endswith(b"\n\n: still here\n: still here\n")
        hub.publish([stored_event(2, kind="render_result")])
        body += b"".join([chunk async for chunk in chunks])
    assert [frame.id for frame in parse(body)] == [1, 2], "a comment is no event"
    hub.close()


async def test_where_something_happens_there_is_no_comment():
    hub = Hub(encode, heartbeat=0.06)
    hub.open()
    stream = await open_stream(Journal([stored_event(1)]), hub, "ses_a", GENERATION, None)
    reading = asyncio.create_task(_all(stream))
    begin = asyncio.get_running_loop().time()
    number = 1
    while asyncio.get_running_loop().time() < begin + 0.3:
        number += 1
        hub.publish([stored_event(number)])
        await asyncio.sleep(0)
    hub.publish([stored_event(number + 1, kind="render_result")])
    assert b"still here" not in await reading
    hub.close()


async def test_a_stream_tells_after_which_number_it_goes_on(hub):
    journal = Journal([stored_event(1), stored_event(2)])
    resumed = [(await open_stream(journal, hub, "ses_a", GENERATION, after)).resumed_after for after in (None, 0, 1)]
    assert resumed == [None, 0, 1]


async def test_when_everything_was_told_there_is_no_stream(hub):
    journal = Journal([stored_event(1, kind="render_result")])
    assert await open_stream(journal, hub, "ses_a", GENERATION, 1) is None
    assert hub.listeners == 0


async def test_a_generation_that_is_not_there_leaves_no_listener(hub):
    def refuse(*_):
        raise NotFoundError

    journal = Journal()
    journal.open_scope = refuse
    with pytest.raises(NotFoundError):
        await open_stream(journal, hub, "ses_a", GENERATION, None)
    assert hub.listeners == 0


async def test_a_closed_stream_leaves_no_listener_and_ends(hub):
    stream = await open_stream(Journal([stored_event(1)]), hub, "ses_a", GENERATION, None)
    assert hub.listeners == 1
    reading = asyncio.create_task(_all(stream))
    stream.close()
    stream.close()
    await reading
    assert hub.listeners == 0


async def test_closing_the_hub_ends_every_stream(hub):
    streams = [await open_stream(Journal([stored_event(1)]), hub, "ses_a", GENERATION, None) for _ in range(5)]
    reading = [asyncio.create_task(_all(stream)) for stream in streams]
    hub.close()
    assert [len(parse(body)) for body in await asyncio.gather(*reading)] == [1] * 5


async def test_the_end_of_a_generation_that_falls_into_the_opening_is_told_and_closes(hub):
    journal = Journal([stored_event(1)])

    def end():
        end_event = stored_event(2, kind="render_result")
        journal.events.append(end_event)
        hub.publish([end_event])

    journal.meanwhile = end
    stream = await open_stream(journal, hub, "ses_a", GENERATION, None)
    assert [frame.id for frame in parse(await _all(stream))] == [1, 2]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_happens_between_listening_and_reading_nothing_is_lost_and_nothing_comes_twice(data):
    last = data.draw(st.integers(1, 30), label="events")
    after = data.draw(st.none() | st.integers(1, last - 1) if last > 1 else st.none(), label="Last-Event-ID")
    published = data.draw(st.integers(0, last), label="published before the reader listens")
    committed = data.draw(st.integers(published, last), label="committed when the reader reads")
    told = data.draw(st.integers(published, committed), label="of these, published by then")
    batch = data.draw(st.integers(1, 4), label="events in one commit")
    events = [stored_event(number) for number in range(1, last)] + [stored_event(last, kind="render_result")]

    async def run():
        hub = Hub(encode)
        hub.open()
        journal = Journal(events[:published])

        def publish(begin, end):
            for index in range(begin, end, batch):
                hub.publish(events[index : min(index + batch, end)])

        def meanwhile():
            journal.events = events[:committed]
            publish(published, told)

        journal.meanwhile = meanwhile
        publish(0, published)
        stream = await open_stream(journal, hub, "ses_a", GENERATION, after)
        publish(told, last)
        ids = [frame.id for frame in parse(await _all(stream))]
        hub.close()
        return ids

    assert asyncio.run(run()) == list(range((after or 0) + 1, last + 1))


async def test_readers_that_come_while_a_real_render_is_written_each_see_the_whole_of_it(
    store, database, queue, submit, alice
):
    presenter = Serializer(Signer(b"a secret of many bytes"), "")
    hub = Hub(presenter.event_bytes)
    hub.open()
    told = []
    database.listen(lambda events: told.extend(event.id for event in events))
    database.listen(hub.publish)
    row = submit(alice)
    queue.claim("worker")
    first = told[-1]

    def render():
        for step in range(40):
            store.record_progress(Fence(row.id, 1), Progress(step * 2.0, "rendering", step, 40, "", None))
        store.complete(Fence(row.id, 1), result(row))

    async def read(after):
        stream = await open_stream(store, hub, alice, ("generation", row.id), after)
        return [frame.id for frame in parse(await _all(stream))]

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as threads:
        rendering = loop.run_in_executor(threads, render)
        readers = []
        while not rendering.done():
            readers.append(asyncio.create_task(read(first)))
            await asyncio.wait([rendering], timeout=0.01)
        await rendering
    readers.append(asyncio.create_task(read(first)))
    for ids in await asyncio.gather(*readers):
        assert ids == [number for number in told if number > first]
    hub.close()
