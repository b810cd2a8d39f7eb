"""A network that fails in every way: connections are reset, stall, or stay open with nobody at the other end."""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536


class _Connection:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.ends = near, far
        self.dead = False

    def abort(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Network:
    """A TCP proxy at one address, in front of a server that may come and go at another."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = parts.hostname or "127.0.0.1", parts.port or 80
        self._connections: set[_Connection] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.heal()
        self.cut()

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

    def heal(self) -> None:
        """End the stall, and reset what has gone silent."""
        self._flowing.set()
        for connection in self._connections:
            if connection.dead:
                connection.abort()

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            answers, far = await asyncio.open_connection(*self._target)
        except OSError:
            near.transport.abort()
            return
        connection = _Connection(near, far)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(connection, reader, far))
                both.create_task(self._pump(connection, answers, near))
        except* OSError:
            pass  # one of the ends is gone, and so is the other
        finally:
            connection.abort()
            self._connections.discard(connection)

    async def _pump(self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._flowing.wait()
            if not connection.dead:
                sink.write(data)
                await sink.drain()
        if not connection.dead and sink.can_write_eof():
            sink.write_eof()
