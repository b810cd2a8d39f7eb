"""Connections that fail in every way: reset, stalled, silent, cut in the middle, slow, or answered with 503.

A `Link` is a TCP proxy in front of one server: the app behind a bad network, or the database as one host sees it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536
_REFUSAL = b"<Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>"
_BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"


class _Connection:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter | None = None) -> None:
        self.ends = [end for end in (near, far) if end is not None]
        self.dead = False
        self.left: int | None = None
        """How many bytes may still pass; None for all."""

    def abort(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Link:
    """A TCP proxy at one address, in front of a server that may come and go at another."""

    def __init__(self, target: str | Path, address: str = "127.0.0.1") -> None:
        """`target`: the URL of a server, or the socket of one in a file. `address`: where the proxy listens."""
        self._target, self.address = target, address
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_away = self._is_busy = False
        self._delay = 0.0
        self._left: int | None = None
        self._times: int | None = None
        """How often the fault still happens; None: until it is healed."""
        self._head = b""
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the proxy, as a web address."""
        return f"http://{self.address}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.address, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.heal()
        self.cut()
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection; new ones work."""
        for connection in self._connections:
            connection.abort()

    def stall(self) -> None:
        """Nothing moves any more, in either direction, and nothing is lost."""
        self._flowing.clear()

    def go_silent(self) -> None:
        """Swallow whatever is sent over the connections that are open, for good; new ones work."""
        for connection in self._connections:
            connection.dead = True

    def isolate(self) -> None:
        """Swallow whatever is sent, also over new connections: a host that is cut off hears nothing of it."""
        self._is_away = True
        self.go_silent()

    def slow(self, seconds: float) -> None:
        """Hold back every piece for so long."""
        self._delay = seconds

    def cut_after(self, size: int, times: int | None = None) -> None:
        """Reset each connection, open or new, after so many more bytes; all, or the first of them."""
        self._left, self._times = size, times
        for connection in self._connections:
            connection.left = size

    def answer_busy(self, times: int | None = None, retry_after: int | None = None) -> None:
        """Answer each request, or the next ones, with 503, as an S3 server with too much to do."""
        self._is_busy, self._times = True, times
        self._head = b"" if retry_after is None else b"Retry-After: %d\r\n" % retry_after

    def heal(self) -> None:
        """End all of it, and reset what has gone silent."""
        self._is_away = self._is_busy = False
        self._delay, self._left, self._times = 0.0, None, None
        self._flowing.set()
        for connection in self._connections:
            connection.left = None
            if connection.dead:
                connection.abort()

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        connection = _Connection(near)
        connection.dead, connection.left = self._is_away, self._left
        self._connections.add(connection)
        self._tasks.add(task := asyncio.current_task())
        try:
            if connection.dead:
                while await reader.read(_CHUNK):
                    pass
                return
            answers, far = await self._reach()
            connection.ends.append(far)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(connection, reader, far))
                both.create_task(self._pump(connection, answers, near))
        except* OSError:
            pass  # one of the ends is gone, and so is the other
        finally:
            connection.abort()
            self._connections.discard(connection)
            self._tasks.discard(task)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        parts = urlsplit(self._target)
        return await asyncio.open_connection(parts.hostname or "127.0.0.1", parts.port or 80)

    async def _pump(self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        from_client = sink is connection.ends[-1]
        while data := await source.read(_CHUNK):
            await self._flowing.wait()
            if self._delay:
                await asyncio.sleep(self._delay)
            if connection.dead:
                continue
            if self._is_busy and from_client:
                await self._refuse(connection)
            if connection.left is not None:
                data, connection.left = data[: connection.left], max(0, connection.left - len(data))
            sink.write(data)
            await sink.drain()
            if connection.left == 0:
                self._happened()
                raise ConnectionResetError
        if not connection.dead and sink.can_write_eof():
            sink.write_eof()

    def _happened(self) -> None:
        if self._times is not None:
            self._times -= 1
            if self._times == 0:
                self.heal()

    async def _refuse(self, connection: _Connection) -> None:
        near = connection.ends[0]
        self._happened()
        with suppress(OSError):
            near.write(_BUSY + self._head + b"Content-Length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL))
            await near.drain()
        near.close()
        raise ConnectionResetError


@contextmanager
def link_to(target: str) -> Iterator[Link]:
    """A link for a test that waits without an event loop; its faults take effect with the next bytes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="link")
    thread.start()
    link = Link(target)
    try:
        asyncio.run_coroutine_threadsafe(link.__aenter__(), loop).result()
        yield link
    finally:
        asyncio.run_coroutine_threadsafe(link.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
