import asyncio
import json

import pytest

from videogen.web.body_limit import MAX_DEPTH, BodyLimit, is_nested_too_deep


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, False),
        (b"[" * (MAX_DEPTH + 1), True),
        (b'{"a":' * MAX_DEPTH, False),
        (b'{"a":' * (MAX_DEPTH + 1), True),
        (b"[]" * 1000, False),
        (json.dumps({"a": "[" * 1000}).encode(), False),
        (json.dumps({"a": '\\"[{' * 1000, "[" * 100: "\n["}).encode(), False),
        (b'["\\\\", ' + b"[" * MAX_DEPTH, True),
        (b'"' + b"[" * 1000, False),
    ],
)
def test_nesting_is_counted_outside_of_texts(body, deep):
    assert is_nested_too_deep(body) == deep


class Call:
    """A request through a `BodyLimit`, whose body comes in pieces; `status` is what it is answered with."""

    def __init__(self, limit, address="192.0.2.1", types=(b"application/json",)):
        headers = [(b"content-length", b"1000"), *((b"content-type", value) for value in types)]
        self.scope = {"type": "http", "path": "/", "method": "POST", "headers": headers, "client": (address, 1)}
        self.pieces = asyncio.Queue()
        self.answer = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(limit(self.scope, self.pieces.get, self.send))

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.answer.set_result(message)

    async def body(self, piece, more=True):
        """Send a piece, and wait until it is read or refused."""
        self.pieces.put_nowait({"type": "http.request", "body": piece, "more_body": more})
        for _ in range(10):
            await asyncio.sleep(0)

    async def status(self):
        async with asyncio.timeout(10):
            return (await self.answer)["status"]


async def answer_200(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.fixture
def small(monkeypatch):
    """Room for 2,000 bytes of one address and 3,000 of all."""
    monkeypatch.setattr(BodyLimit, "bytes_per_address", 2000, raising=False)
    monkeypatch.setattr(BodyLimit, "bytes_of_all", 3000, raising=False)
    return BodyLimit(answer_200, 1)


async def test_unfinished_bodies_have_a_limit_per_address_and_in_all(small):
    calls = [Call(small), Call(small), Call(small, "192.0.2.2")]
    for call in calls:
        await call.body(bytes(900).replace(b"\0", b" "))
    same, other = Call(small), Call(small, "192.0.2.3")
    await same.body(b" " * 900)
    await other.body(b" " * 900)
    assert (await same.status(), await other.status()) == (429, 503)
    assert (b"retry-after", b"5") in (await other.answer)["headers"]
    await calls[0].body(b"", more=False)
    assert await calls[0].status() == 200
    calls[1].pieces.put_nowait({"type": "http.disconnect"})
    await calls[1].task
    again = Call(small)
    await again.body(b" " * 900, more=False)
    assert await again.status() == 200
    await calls[2].body(b"", more=False)
    assert await calls[2].status() == 200


async def test_a_body_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(BodyLimit, "seconds", 0.01, raising=False)
    call = Call(BodyLimit(answer_200, 1))
    try:
        assert await call.status() == 408
    finally:
        call.task.cancel()


@pytest.mark.parametrize(
    ("types", "status"),
    [
        ([b"application/json", b"multipart/x"], 422),
        ([b"multipart/x", b"application/json"], 422),
        ([], 422),
        ([b"Multipart/x"], 200),
    ],
)
async def test_nesting_is_checked_unless_every_content_type_is_multipart(types, status):
    call = Call(BodyLimit(answer_200, 1), types=types)
    await call.body(b"[" * 100, more=False)
    assert await call.status() == status
