"""A scripted server for the client: each response is a list of chunks and errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from videogen.client import AsyncClient

AT = "2026-11-01T12:00:00Z"


def event_data(generation="gen_a", status="processing", progress=10.0, **more):
    """The data of an event."""
    data = {"generationId": generation, "projectId": "prj_a", "requestId": "req_a", "status": status}
    return data | {"progress": progress, "attempt": 1, "at": AT} | more


def sse(number, event_type="render_progress", **data):
    """An SSE message."""
    return f"id: {number}\nevent: {event_type}\ndata: {json.dumps(event_data(**data))}\n\n"


def result(number, generation="gen_a"):
    """The SSE message of a terminal event."""
    media = {"fileId": "fil_a", "videoUrl": "/media/fil_a", "width": 512, "height": 288}
    length = {"durationSeconds": 4, "fps": 24, "sizeBytes": 1000}
    return sse(number, "render_result", generation=generation, status="completed", progress=100, **media, **length)


class ScriptedBody(httpx.AsyncByteStream):
    """The body of one response: text is sent, an exception is raised, an `asyncio.Event` is awaited."""

    def __init__(self, chunks) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            if isinstance(chunk, asyncio.Event):
                await chunk.wait()
            else:
                yield chunk.encode()


@dataclass
class Script:
    """The next responses, in order, and the received requests."""

    answers: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=ScriptedBody(answer))

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
def delays(monkeypatch):
    """The delays between connections. Here they take no time."""
    delays = []

    async def sleep(seconds):
        delays.append(seconds)

    monkeypatch.setattr("videogen.client.watch.sleep", sleep)
    return delays
