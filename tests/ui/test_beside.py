"""A page beside the API passes on what its history asks for, and nothing else."""

import json

import httpx
import pytest
from fastapi import FastAPI

from videogen.ui.beside import MAX_BODY, PATH, passing_on
from videogen.ui.page_client import PageClient


@pytest.fixture
def asked():
    return []


@pytest.fixture
async def page(asked):
    """What a browser asks the page, in front of an API that answers each call with itself."""

    def answer(request):
        asked.append(request)
        if request.url.path.endswith("/zip"):
            return httpx.Response(422, json={"code": "invalid_request"}, headers={"Set-Cookie": "other=1"})
        return httpx.Response(200, json={"path": str(request.url.path)})

    client = PageClient("http://api.test", transport=httpx.MockTransport(answer))
    app = FastAPI()
    app.include_router(passing_on(client))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.test") as http:
        yield http
    await client.aclose()


MINE = {"Authorization": "Bearer mine", "Cookie": "videogen_session=cookie"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "generations?q=a%26b&limit=3"),
        ("GET", "generations/ids?cursor=x"),
        ("PATCH", "generations/gen_a-b"),
        ("POST", "generations/trash"),
        ("POST", "generations/restore"),
    ],
)
async def test_the_calls_of_the_history_reach_the_api_as_they_are(page, asked, method, path):
    body = {} if method == "GET" else {"content": json.dumps({"ids": ["gen_a"]})}
    told = await page.request(method, f"{PATH}/{path}", headers=MINE, **body)
    assert told.status_code == 200
    [request] = asked
    assert (request.method, str(request.url)) == (method, f"http://api.test/api/v1/{path}")
    assert request.headers["authorization"] == "Bearer mine"
    assert "cookie" not in request.headers, "a cookie alone opens nothing"
    assert request.content == body.get("content", "").encode()


async def test_a_refusal_comes_back_as_it_was_said_without_foreign_headers(page):
    told = await page.post(f"{PATH}/generations/zip", headers=MINE, json={"ids": ["x"]})
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert "set-cookie" not in told.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "export"),
        ("GET", "generations/gen_a"),
        ("POST", "generations"),
        ("POST", "generations/gen_a/cancel"),
        ("PATCH", "generations/gen_a/../../sessions"),
        ("GET", "generations/%2e%2e/export"),
        ("POST", "sessions"),
    ],
)
async def test_nothing_else_passes(page, asked, method, path):
    assert (await page.request(method, f"{PATH}/{path}", headers=MINE)).status_code in (404, 405)
    assert asked == []


async def test_too_much_is_refused_before_it_is_passed_on(page, asked):
    told = await page.post(f"{PATH}/generations/trash", headers=MINE, content=b"x" * (MAX_BODY + 1))
    assert (told.status_code, asked) == (413, [])


async def test_an_api_that_does_not_answer_is_told():
    def answer(request):
        raise httpx.ConnectError("down", request=request)

    app = FastAPI()
    app.include_router(passing_on(PageClient("http://api.test", transport=httpx.MockTransport(answer))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.test") as http:
        assert (await http.get(f"{PATH}/generations", headers=MINE)).status_code == 502
