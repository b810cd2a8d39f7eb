import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from videogen.web.security_headers import NONCE, SecurityHeaders

FRAMED_BY = "'self' https://host.example"


def page(request):
    return HTMLResponse(f"{request.scope[NONCE]}")


ANSWERS = {
    "/": page,
    "/json": lambda _: JSONResponse({}),
    "/other.html": lambda _: HTMLResponse("<p>"),
    "/picture": lambda _: Response(b"", media_type="image/svg+xml", headers={"ETag": '"1"'}),
    "/video": lambda _: Response(b"", media_type="video/mp4", headers={"Cache-Control": "private"}),
    "/cookie": lambda _: Response(b"", headers={"Set-Cookie": "a=b", "Cache-Control": "public", "ETag": '"1"'}),
    "/known": lambda _: Response(status_code=304, headers={"ETag": '"1"'}),
    "/embed": lambda _: HTMLResponse("", headers={"Content-Security-Policy": "img-src 'self'; frame-ancestors *"}),
    "/own": lambda _: HTMLResponse(
        "",
        headers={
            "Content-Security-Policy": "img-src 'self'",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    ),
}


@pytest.fixture
async def visitor():
    app = Starlette(routes=[Route(path, answer) for path, answer in ANSWERS.items()])
    app.add_middleware(SecurityHeaders, frame_ancestors=FRAMED_BY)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.test") as visitor:
        yield visitor


async def test_the_page_gets_media_from_the_bucket_only_where_browsers_reach_it(visitor):
    app = Starlette(routes=[Route("/", page)])
    app.add_middleware(SecurityHeaders, frame_ancestors=FRAMED_BY, files_origin="https://files.example")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.test") as reaching:
        policy = (await reaching.get("/")).headers["content-security-policy"]
    usual = (await visitor.get("/")).headers["content-security-policy"]
    assert "img-src 'self' data: blob: https://files.example; media-src 'self' https://files.example;" in policy
    assert policy.count("https://files.example") == 2, "scripts and requests stay ours"
    assert "img-src 'self' data: blob:; media-src 'self';" in usual


@pytest.mark.parametrize("path", [*sorted(ANSWERS.keys() - {"/known"}), "/nothing"])
async def test_every_answer_says_what_browsers_may_do_with_it(visitor, path):
    headers = (await visitor.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert headers["content-security-policy"].count("frame-ancestors") == 1
    if path != "/embed":
        assert headers["content-security-policy"].endswith(f"; frame-ancestors {FRAMED_BY}")


async def test_only_the_page_runs_scripts_and_its_inline_ones_need_the_nonce_of_that_answer(visitor):
    first, second = [await visitor.get("/") for _ in range(2)]
    for answer in (first, second):
        assert f"script-src 'self' 'unsafe-eval' 'nonce-{answer.text}';" in answer.headers["content-security-policy"]
    assert first.text != second.text
    assert len(first.text) >= 22
    assert first.headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
    for path in ("/json", "/other.html", "/picture", "/video", "/nothing"):
        policy = (await visitor.get(path)).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "script-src" not in policy


async def test_what_a_route_says_itself_stays(visitor):
    headers = (await visitor.get("/own")).headers
    assert headers["content-security-policy"] == f"img-src 'self'; frame-ancestors {FRAMED_BY}"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert (await visitor.get("/embed")).headers["content-security-policy"] == "img-src 'self'; frame-ancestors *"


async def test_a_picture_has_no_origin_and_a_video_plays(visitor):
    assert "; sandbox;" in (await visitor.get("/picture")).headers["content-security-policy"]
    policy = (await visitor.get("/video")).headers["content-security-policy"]
    assert "media-src 'self'" in policy
    assert "sandbox" not in policy, "in a sandbox a video that is opened by itself does not play"


@pytest.mark.parametrize(
    ("path", "stored"),
    [("/", False), ("/json", False), ("/nothing", False), ("/cookie", False), ("/picture", True), ("/video", True)],
)
async def test_nothing_is_stored_that_was_made_for_one_request(visitor, path, stored):
    assert ((await visitor.get(path)).headers.get("cache-control") == "no-store") != stored


async def test_a_304_leaves_the_headers_that_the_browser_has(visitor):
    assert set((await visitor.get("/known")).headers) == {"etag"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "NONSENSE"])
async def test_other_methods_are_refused_for_every_path(visitor, method):
    for path in ("/", "/json", "/nothing"):
        answer = await visitor.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
        assert answer.json()["code"] == "method_not_allowed"
        assert re.fullmatch(r"GET, HEAD, POST, [A-Z, ]+", answer.headers["allow"])
        assert answer.headers["x-content-type-options"] == "nosniff"
