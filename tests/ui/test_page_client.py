"""What the page asks for a visitor says whose it is, anew for each request."""

import itertools
from types import SimpleNamespace

import httpx
import pytest

from videogen.client import ApiError
from videogen.ui.page_client import PageClient


async def test_every_call_for_a_visitor_names_the_address():
    calls, count = [], itertools.count()

    def answer(request):
        calls.append((request.url.path, request.headers.get("visitor"), request.headers.get("authorization")))
        return httpx.Response(404, json={"title": "", "status": 404, "detail": "", "code": "not_found"})

    def headers(address):
        return {"Visitor": f"{address} {next(count)}".strip()}

    async with PageClient("http://api.test", headers, httpx.MockTransport(answer)) as client:
        visitor = client.of(SimpleNamespace(client=SimpleNamespace(host="192.0.2.1"))).as_session("alice")
        for call in (
            visitor.get("gen_1"),
            anext(visitor.watch()),
            client.of(SimpleNamespace(client=None)).get("gen_2"),
        ):
            with pytest.raises(ApiError):
                await call
        await visitor.raw("GET", "generations", "", b"")
    assert calls == [
        ("/api/v1/generations/gen_1", "192.0.2.1 0", "Bearer alice"),
        ("/api/v1/events", "192.0.2.1 1", "Bearer alice"),
        ("/api/v1/generations/gen_2", "2", None),
        ("/api/v1/generations", "192.0.2.1 3", "Bearer alice"),
    ]
