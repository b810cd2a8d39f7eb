"""A scripted server for the client: each connection is a list of pieces, or of things that go wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from videogen.client import AsyncClient

AT = "2026-11-01T12:00:00Z"


def event_data(generation="gen_a", status="processing", progress=10.0, **more):
    """What the data of an event carries."""
    told = {"generationId": generation, "projectId": "prj_a", "requestId": "req_a", "status": status}
    return told | {"progress": progress, "attempt": 1, "at": AT} | more


def frame(number, kind="render_progress", **data):
    """One event as it stands on the wire."""
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(event_data(**data))}\n\n"


def result(number, generation="gen_a"):
    """A terminal event as it stands on the wire."""
    media = {"fileId": "fil_a", "videoUrl": "/media/fil_a", "width": 512, "height": 288}
    length = {"durationSeconds": 4, "fps": 24, "sizeBytes": 1000}
    return frame(number, "render_result", generation=generation, status="completed", progress=100, **media, **length)


class Pieces(httpx.AsyncByteStream):
    """The body of one connection: text is sent, an exception is raised, an event is waited for."""

    def __init__(self, pieces) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                yield piece.encode()


@dataclass
class Script:
    """The answers to come, in order, and the requests that came."""

    answers: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(answer))

    def last_event_ids(self):
        return [request.headers.get("last-event-id") for request in self.requests]


@pytest.fixture
def script():
    return Script()


@pytest.fixture
async def client(script):
    async with AsyncClient("http://videogen.test", "secret-token", httpx.MockTransport(script)) as client:
        yield client


@pytest.fixture
def waits(monkeypatch):
    """The waits between connections, which take no time here."""
    told = []

    async def sleep(seconds):
        told.append(seconds)

    monkeypatch.setattr("videogen.client.aio.watch.pause", sleep)
    return told
