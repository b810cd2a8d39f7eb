"""Requests that arrive too slowly or have too many headers, on a real uvicorn with short time limits, a small app."""

import asyncio
import socket
from contextlib import asynccontextmanager, nullcontext, suppress

import pytest
import uvicorn

from videogen.server.timeouts import MAX_HEADER_BYTES, TimedProtocol, Timeouts

SHORT = Timeouts(headers=0.3, silence=0.3, bytes_per_second=1000, answered=0.3, stopping=0.1)
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


class Server:
    """The app answers with the length of the body; `/early` answers before it has read it, `/stream` for ever."""

    def __init__(self, timeouts):
        protocol = type("ShortProtocol", (TimedProtocol,), {"timeouts": timeouts})
        config = uvicorn.Config(
            *(self.app, "127.0.0.1", 0),
            http=protocol,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=100,
            timeout_graceful_shutdown=5,
        )
        self.server = uvicorn.Server(config)
        self.left = asyncio.Event()
        self.release = asyncio.Event()

    async def app(self, scope, receive, send):
        body = b""
        more = scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            body += message["body"]
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % len(body), "more_body": scope["path"] == "/stream"})
        if scope["path"] == "/stream":
            await self.release.wait()
            await send({"type": "http.response.body", "body": b"end"})


@asynccontextmanager
async def serving(timeouts):
    """The server, and a function that connects to it."""
    server, writers = Server(timeouts), []

    async def connect():
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writers.append(writer)
        return reader, writer

    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.server.serve([listener]))
        async with asyncio.timeout(20):
            try:
                yield server, connect
            finally:
                server.server.should_exit = True
                await task
                for writer in writers:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch):
    """uvicorn would take the signals of the test process."""
    monkeypatch.setattr(uvicorn.Server, "capture_signals", lambda _self: nullcontext())


async def trickle(writer, pieces):
    """Send pieces as long as the server takes them; each is sooner than a pause would be noticed."""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
    except OSError:
        pass


async def read_to_end(reader):
    """What the server sends until it closes the connection, perhaps with a reset."""
    try:
        return await reader.read()
    except OSError:
        return b""


def forever(piece):
    while True:
        yield piece


@pytest.mark.parametrize("first", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nCookie: "])
async def test_headers_that_do_not_come_to_an_end_are_ended(first):
    async with serving(SHORT) as (_, connect):
        reader, writer = await connect()
        sender = asyncio.create_task(trickle(writer, forever(first[-2:])) if first else asyncio.sleep(0))
        writer.write(first)
        answer = await read_to_end(reader)
        assert (b"408 Request Timeout" in answer) == (b"GET" in first)
        if answer:
            assert b'"code":"request_timeout"' in answer
            assert b"application/problem+json" in answer
        sender.cancel()


async def test_headers_of_a_later_request_have_the_same_limit():
    async with serving(SHORT) as (_, connect):
        reader, writer = await connect()
        writer.write(POST % 2 + b"ab" + b"GET /again HTTP/1.1\r\n")
        answer = await read_to_end(reader)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"408 Request Timeout" in answer


async def test_a_body_that_stops_is_ended_and_its_handler_learns_of_it():
    async with serving(SHORT) as (server, connect):
        reader, writer = await connect()
        writer.write(POST % 100 + b"ab")
        assert b"408 Request Timeout" in await read_to_end(reader)
        await server.left.wait()


async def test_a_body_of_a_few_bytes_now_and_then_is_ended():
    """No pause is too long, but all of it is too slow."""
    async with serving(SHORT) as (server, connect):
        reader, writer = await connect()
        writer.write(POST % 1_000_000)
        sender = asyncio.create_task(trickle(writer, forever(b"a")))
        answer = await read_to_end(reader)
        # A byte that is sent to the ended connection breaks it here, perhaps before the answer was read.
        assert not answer or b"408" in answer
        await server.left.wait()
        sender.cancel()


async def test_a_slow_body_that_goes_on_is_taken():
    """All of it takes longer than a pause may be."""
    async with serving(Timeouts(silence=1, bytes_per_second=1000)) as (_, connect):
        reader, writer = await connect()
        writer.write(POST % 2500)
        await trickle(writer, [bytes(100)] * 25)
        assert await reader.readuntil(b"2500")


async def test_the_rest_of_a_body_that_was_answered_is_thrown_away_but_not_for_ever():
    early = POST.replace(b"/ ", b"/early ")
    async with serving(SHORT) as (_, connect):
        reader, writer = await connect()
        writer.write(early % 3)
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"abc" + POST % 2 + b"ab")
        assert await reader.readuntil(b"\r\n2\r\n")  # the connection is still good
        reader, writer = await connect()
        writer.write(early % 1_000_000)
        await reader.readuntil(b"0\r\n\r\n")
        sender = asyncio.create_task(trickle(writer, forever(b"a")))
        assert await read_to_end(reader) == b""
        sender.cancel()


async def test_idle_connections_and_open_streams_are_not_touched():
    async with serving(SHORT) as (server, connect):
        idle, idle_writer = await connect()
        idle_writer.write(POST % 2 + b"ab")
        await idle.readuntil(b"2\r\n0\r\n\r\n")
        stream, stream_writer = await connect()
        stream_writer.write(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        await stream.readuntil(b"0\r\n")
        stream_writer.write(b"\r\n")  # not the beginning of a request, as some clients send it
        # A connection that is ended for its slowness began after both.
        silent, _ = await connect()
        assert await read_to_end(silent) == b""
        slow, slow_writer = await connect()
        slow_writer.write(POST % 2)
        assert b"408" in await read_to_end(slow)
        server.release.set()
        assert await stream.readuntil(b"end\r\n")
        idle_writer.write(POST % 3 + b"abc")
        assert await idle.readuntil(b"\r\n3\r\n")


async def test_half_a_request_does_not_hold_up_a_stop(caplog):
    """Its handler is not cancelled, which would be logged with a traceback."""
    async with serving(Timeouts(stopping=0.05)) as (server, connect):
        _, writer = await connect()
        writer.write(POST % 100 + b"ab")
        while server.server.server_state.tasks == set():
            await asyncio.sleep(0.01)
    assert server.left.is_set()
    assert caplog.records == []


LARGE = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: ".ljust(MAX_HEADER_BYTES, b"a")
MANY = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:b\r\n" * ((MAX_HEADER_BYTES - 25) // 5)
LONG = b"GET /".ljust(MAX_HEADER_BYTES, b"a")


@pytest.mark.parametrize("headers", [LARGE, MANY, LONG])
@pytest.mark.parametrize("earlier", [b"", POST % 2 + b"ab"])
async def test_large_headers_are_refused(headers, earlier):
    async with serving(Timeouts()) as (_, connect):
        reader, writer = await connect()
        if earlier:
            writer.write(earlier)
            await reader.readuntil(b"\r\n2\r\n0\r\n\r\n")
        writer.write(headers + b"a" * (8 * 1024))
        answer = await read_to_end(reader)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"headers_too_large"' in answer


async def test_large_headers_behind_an_unanswered_request_end_the_connection():
    async with serving(Timeouts()) as (_, connect):
        reader, writer = await connect()
        writer.write(POST % 2 + b"ab" + LARGE * 2)
        assert b"431" not in await read_to_end(reader)


async def test_what_follows_a_body_has_the_limit_of_headers():
    async with serving(Timeouts()) as (server, connect):
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: ")
        writer.write(b"a" * (MAX_HEADER_BYTES + 8 * 1024))
        assert await read_to_end(reader) == b""
        await server.left.wait()


async def test_bodies_and_many_small_requests_are_no_headers():
    async with serving(Timeouts()) as (_, connect):
        reader, writer = await connect()
        length = 2 * MAX_HEADER_BYTES
        writer.write(POST % length + bytes(length))
        assert await reader.readuntil(b"\r\n%d\r\n0\r\n\r\n" % length)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * length)
        writer.write(b"0\r\n\r\n")
        assert await reader.readuntil(b"\r\n%d\r\n0\r\n\r\n" % length)
        count = 2 * MAX_HEADER_BYTES // len(POST)
        writer.write((POST % 3 + b"abc") * count)
        for _ in range(count):
            await reader.readuntil(b"\r\n3\r\n0\r\n\r\n")
        writer.write(LARGE[: -16 * 1024] + b"\r\n\r\n")
        assert await reader.readuntil(b"HTTP/1.1 200 OK")
