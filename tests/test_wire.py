"""The connection under a response, beneath a real uvicorn and read by a real client."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from httpx_sse import aconnect_sse

from tests.support.rows import stored_event
from videogen.live.hub import Hub
from videogen.live.streams import EventStream
from videogen.store import Opening
from videogen.web.sse import EventStreamResponse
from videogen.wire import Wire, chunk


@asynccontextmanager
async def served(app, http="httptools"):
    """An app behind uvicorn in this event loop, and a client of it."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=http, ws="none", lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


def answering(told, headers=()):
    """An app that begins a response, tells `told` what lies under it, and waits for the end."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        told.put_nowait(Wire.under(send))
        body = b"four" if headers else b"begun "
        await send({"type": "http.response.body", "body": body, "more_body": not headers})
        while not headers and (await receive())["type"] != "http.disconnect":
            pass

    return app


async def test_chunks_arrive_behind_what_was_sent_before():
    told = asyncio.Queue()
    async with served(answering(told)) as client, client.stream("GET", "/") as response:
        wire = await told.get()
        assert wire.ready
        for word in (b"one ", b"two "):
            wire.write(chunk(word))
        wire.write(chunk(b""))
        wire.write(chunk(b"three"))
        heard = b""
        async for part in response.aiter_bytes():
            heard += part
            if heard == b"begun one two three":
                break


async def test_a_reader_that_does_not_read_or_has_left_is_known():
    told = asyncio.Queue()
    async with served(answering(told)) as client:
        async with client.stream("GET", "/"):
            wire = await told.get()
            rounds = 0
            while wire.ready:
                wire.write(chunk(bytes(1_000_000)))
                rounds += 1
                assert rounds < 1000, "it takes whatever comes"
        async with client.stream("GET", "/"):
            wire = await told.get()
            assert wire.ready
        async with asyncio.timeout(20):
            while wire.ready:
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("headers", "http"), [([(b"content-length", b"4")], "httptools"), ([], "h11")], ids=["length", "h11"]
)
async def test_another_response_and_another_server_have_none(headers, http):
    told = asyncio.Queue()
    async with served(answering(told, headers), http) as client, client.stream("GET", "/"):
        assert await told.get() is None


async def test_a_send_of_another_kind_has_none():
    async def send(message):
        pass

    assert Wire.under(send) is None


async def test_event_streams_go_this_way():
    hub = Hub(lambda event: b"event: %b\nid: %d\ndata: {}\n\n" % (event.type.encode(), event.id))
    hub.open()
    subscription = hub.subscribe("ses_a", ("generation", "gen_a"))
    stream = EventStream(hub, subscription, Opening([], 0, frozenset(["gen_a"])), None)
    handed = []
    async with served(EventStreamResponse(stream)) as client, aconnect_sse(client, "GET", "/") as source:
        events = source.aiter_sse()
        while subscription.at_once is None:
            await asyncio.sleep(0)
        at_once = subscription.at_once
        subscription.at_once = lambda frame: handed.append(at_once(frame)) or handed[-1]
        hub._deliver([stored_event(1)])
        # A commit of two is taken together, and what is known already is not told again.
        hub._deliver([stored_event(2), stored_event(3)])
        hub._deliver([stored_event(3)])
        hub._deliver([stored_event(4)])
        hub._deliver([stored_event(5, kind="render_result")])
        assert [int(event.id) async for event in events] == [1, 2, 3, 4, 5]
    assert handed == [True, False, True, False], "old news and the end go the long way"
    hub.close()
