"""What the browser makes of the headers. That no policy stops what the pages do is a part of every other test here."""

import re

import httpx
from playwright.sync_api import expect

from tests.support.api import Session
from tests.support.sites import EmbeddingSite


def stopped(person):
    """What the policies have stopped since the last call. What is left at the end of a test fails it."""
    found, person.violations[:] = list(person.violations), []
    return found


def test_docs_is_shown_whole_and_asks_no_other_host(app, person):
    page, asked = person("page").context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app.base_url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    assert len(asked) >= 4, asked
    assert [url for url in asked if not url.startswith((f"{app.base_url}/", "data:"))] == []


def test_the_page_runs_no_script_that_did_not_come_with_it_and_asks_no_other_host(app, person):
    answer = httpx.get(app.base_url)
    nonce = re.search(r"'nonce-([\w-]+)'", answer.headers["content-security-policy"])[1]
    assert answer.text.count("<script") == answer.text.count(f'<script nonce="{nonce}"')
    assert answer.headers["cache-control"] == "no-store"

    me = person("page")
    tab = me.tab(app.base_url).open()
    with tab.page.expect_console_message(lambda message: "inline event handler" in message.text):
        tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/ onerror=\"window.injected = true\">')")
    answers = "then(() => 'came', () => 'stopped')"
    assert tab.evaluate(f"import('data:text/javascript,0').{answers}") == "stopped"
    assert tab.evaluate(f"fetch('http://localhost:9/', {{ mode: 'no-cors' }}).{answers}") == "stopped"
    assert tab.evaluate("window.injected") is None
    assert len(stopped(me)) >= 3


def test_a_site_that_is_not_allowed_frames_the_player_of_a_link_and_not_the_page(app, person):
    me = person("page")
    page = me.context.new_page()
    with Session(app.base_url) as owner, EmbeddingSite() as other:
        generation = owner.submit("gated")["id"]
        url = owner.post(f"/generations/{generation}/share").raise_for_status().json()["url"]
        page.goto(f"{other.url}/embed#{url}/embed")
        expect(page.frame_locator("#app").locator(".embed")).to_be_visible()
        assert stopped(me) == []
        for address in (app.base_url, url):
            page.goto("about:blank")
            with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
                page.goto(f"{other.url}/embed#{address}")
        assert len(stopped(me)) == 2
        owner.cancel(generation)
