"""What is seen before Gradio has started: the document is complete, and its question is answered truly."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tests.client.answers import generation_json
from tests.ui.conftest import at
from videogen.schemas.system import SESSION_COOKIE
from videogen.ui.first_paint import FirstPaint, early_room

DOCUMENT = (
    '<!doctype html>\n<html\n\tlang="en" style="margin: 0">\n<head><meta property="og:title" content="Gradio" />'
    '<script>config = {"label": "@@form.prompt@@", "title": "@@no.such@@"}</script></head>'
    "<body><gradio-app></gradio-app></body></html>"
)
RUNNING = {"status": "processing", "progress": 40, "updatedAt": at(0)}


@pytest.fixture
async def browser(client):
    app = FastAPI()
    app.add_middleware(
        FirstPaint, head=lambda words: f"<style>é{words.tag}</style>", shell=lambda _: "<main>shell</main>"
    )
    app.include_router(early_room(client))
    for path in ("/", "/other"):
        app.add_api_route(path, lambda: HTMLResponse(DOCUMENT), methods=["GET", "HEAD"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.test") as browser:
        yield browser


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_the_document_carries_styles_and_parts(browser):
    answer = await browser.get("/")
    assert answer.text == (
        '<!doctype html>\n<html\n\tlang="en" style="margin: 0">\n<head>'
        '<script>config = {"label": "Prompt", "title": "@@no.such@@"}</script><style>éen</style></head>'
        "<body><main>shell</main><gradio-app></gradio-app></body></html>"
    )
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ({}, "en"),
        ({"headers": {"accept-language": "de-AT, en;q=0.5"}}, "de"),
        ({"headers": {"accept-language": "de", "cookie": "videogen_language=en"}}, "en"),
        ({"params": {"language": "de"}, "headers": {"cookie": "videogen_language=en"}}, "de"),
    ],
)
async def test_the_document_is_in_the_language_of_its_request(browser, asked, spoken):
    answer = await browser.get("/", **asked)
    assert f'lang="{spoken}"' in answer.text
    assert f"<style>é{spoken}</style>" in answer.text
    assert answer.headers["content-language"] == spoken
    assert answer.headers["vary"] == "Accept-Language, Cookie"


async def test_other_documents_stay_as_they_are(browser):
    assert (await browser.get("/other")).text == DOCUMENT


async def test_the_room_is_there_at_once(api, browser):
    api.session("mine", generation_json("gen_a", **RUNNING), generation_json("gen_b", createdAt=at(-9)))
    api.session("theirs", generation_json("gen_c", **RUNNING))
    told = (await browser.get("/page/room", headers=bearer("mine"))).json()
    assert (told["room"]["selected"]["id"], told["room"]["selected"]["progress"]) == ("gen_a", 40)
    assert [item["id"] for item in told["room"]["active"]] == ["gen_a", "gen_b"]
    assert told["room"]["notice"] == "Welcome back: 2 generations are still rendering."
    assert told["history"]["items"] == []


async def test_the_room_is_told_in_the_language_of_its_document(api, browser):
    api.session("mine", generation_json("gen_a", **RUNNING))
    params = {"language": "de"}
    told = (await browser.get("/page/room", params=params, headers=bearer("mine"))).json()
    assert told["room"]["notice"] == "Willkommen zurück: 1 Video ist noch in Arbeit."
    assert told["room"]["selected"]["statusText"] == "Wird gerendert"


async def test_what_the_tab_had_open_is_found_beyond_the_first_page(api, browser):
    old = generation_json("gen_old", status="completed", createdAt=at(-99), updatedAt=at(-99))
    api.session("mine", old, generation_json("gen_b", status="completed"))
    api.page_size = 1
    told = (await browser.get("/page/room", params={"selected": "gen_old"}, headers=bearer("mine"))).json()
    assert told["room"]["selected"]["id"] == "gen_old"


async def test_anothers_generation_is_not_shown(api, browser):
    api.session("mine")
    api.session("theirs", generation_json("gen_c", **RUNNING))
    told = (await browser.get("/page/room", params={"selected": "gen_c"}, headers=bearer("mine"))).json()
    assert told["room"]["selected"] is None


async def test_the_cookie_is_enough(api, browser):
    api.session("mine", generation_json("gen_a", **RUNNING))
    browser.cookies.set(SESSION_COOKIE, "mine")
    assert (await browser.get("/page/room")).json()["room"]["selected"]["id"] == "gen_a"


async def test_who_has_no_session_gets_none_here(api, browser):
    answer = await browser.get("/page/room", headers=bearer("unknown"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.sessions == {}


async def test_an_api_that_is_down_leaves_it_to_the_watcher(api, browser):
    api.session("mine")
    api.down = True
    answer = await browser.get("/page/room", headers=bearer("mine"))
    assert (answer.status_code, answer.content) == (204, b"")
