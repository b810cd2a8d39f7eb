"""A TCP proxy that breaks each connection in its own way, and an origin that replays a recorded event stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self


@dataclass(frozen=True)
class Fate:
    """What becomes of one connection."""

    bytes: int | None = None
    """How many bytes of the answer pass; None for all."""
    then: Literal["close", "reset", "stall"] = "close"
    """What happens after them: an end, an error, or silence on a connection that stays open."""
    piece: int = 65536
    """The answer passes in pieces of at most this many bytes."""
    delay: float = 0.0
    """Seconds before each piece."""


WELL = Fate()


@dataclass
class Origin:
    """Replays frames over HTTP, after `Last-Event-ID`; each connection ends with the last of them."""

    frames: dict[int, str]
    """By number, as they stand on the wire."""
    head: str = "retry: 1000\n"
    asked: list[int | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        last = re.search(r"(?i)^last-event-id: (\d+)", request, re.MULTILINE)
        self.asked.append(int(last[1]) if last else None)
        # A number that it never gave is from another database: it starts over, and says so.
        after = int(last[1]) if last and int(last[1]) <= max(self.frames) else 0
        start = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        if last:
            start += f"Videogen-Resumed-After: {after}\r\n"
        chunks = [self.head, *(text for number, text in self.frames.items() if number > after)]
        body = "".join(f"{len(chunk.encode()):x}\r\n{chunk}\r\n" for chunk in chunks)
        with suppress(ConnectionError):
            writer.write(f"{start}\r\n{body}0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


class BreakingProxy:
    """Connection after connection meets the next fate; when there are none left, all is well."""

    def __init__(self, origin: Origin, fates: Iterable[Fate] = ()) -> None:
        self._origin = origin
        self._fates = iter(fates)
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        origin = await asyncio.start_server(self._origin.serve, "127.0.0.1", 0)
        proxy = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._servers = [origin, proxy]
        self._target = origin.sockets[0].getsockname()[:2]
        self.url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def meet(self, *fates: Fate) -> None:
        """What the next connections meet."""
        self._fates = iter(fates)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        far = None
        try:
            fate = next(self._fates, WELL)
            if fate.bytes != 0 or fate.then == "stall":
                far_reader, far = await asyncio.open_connection(*self._target)
                far.write(await reader.readuntil(b"\r\n\r\n"))
                await self._pass(far_reader, writer, fate)
            if fate.then == "reset" and fate.bytes is not None:
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has left, or the test is over
        finally:
            self._open.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.close()

    async def _pass(self, far: asyncio.StreamReader, near: asyncio.StreamWriter, fate: Fate) -> None:
        answer = await far.read(-1)
        allowed = answer if fate.bytes is None else answer[: fate.bytes]
        for at in range(0, len(allowed), fate.piece):
            if fate.delay:
                await asyncio.sleep(fate.delay)
            near.write(allowed[at : at + fate.piece])
            await near.drain()
        if fate.then == "stall" and fate.bytes is not None:
            await asyncio.Event().wait()
