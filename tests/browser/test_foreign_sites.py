"""What a page of another origin on the same host can do with a visitor's cookie: over https, framed and not."""

import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.https_sites import HttpsSites

ATTACK = Path(__file__).with_name("attack.html").read_text()
FRAMES = """<!doctype html><title>Frames</title><iframe name="victim"></iframe><iframe name="attacker"></iframe>
<script>for (const [name, url] of new URLSearchParams(location.search)) document.getElementsByName(name)[0].src = url;
</script>"""
ASKED = {
    *(("OPTIONS", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data"), ("POST", "/gradio_api/queue/join")),
    *(("OPTIONS", "/gradio_api/run/predict"), ("POST", "/gradio_api/run/predict"), ("POST", "/gradio_api/upload")),
    *(("GET", "/gradio_api/heartbeat/stolen"), ("GET", "/config"), ("OPTIONS", "/gradio_api/mcp/")),
    ("POST", "/api/v1/sessions/transfer"),
}


@pytest.fixture(scope="module")
def sites(shared_app, tmp_path_factory):
    folder = tmp_path_factory.mktemp("https")
    with HttpsSites(folder, shared_app.base_url, attack=ATTACK, frames=FRAMES) as sites:
        yield sites


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(ignore_https_errors=True)
    yield context
    context.close()


def show(page, sites, address, where):
    """The victim's and the attacker's frame, or page; the victim's page has its session."""
    if where == "iframe":
        page.goto(f"{sites.frames}/?victim={quote(sites.url)}&attacker={quote(address, safe='')}")
        victim, attacker = page.frame("victim"), page.frame("attacker")
    else:
        victim = page.context.new_page().main_frame
        victim.goto(sites.url)
        page.goto(address)
        attacker = page.main_frame
    expect(victim.locator("gradio-app #connection")).to_have_text("Live")
    attacker.wait_for_function("typeof attack === 'function'")
    return attacker


@pytest.mark.parametrize("where", ["page", "iframe"])
def test_another_origin_of_the_same_host_gets_nothing_with_the_visitors_cookie(sites, context, where):
    config = httpx.get(f"{sites.url}/config", verify=False, trust_env=False).json()["dependencies"]
    handlers = {event: one["id"] for one in config for _, event in one["targets"]}
    handlers["watch"] = handlers["connect"]
    address = f"{sites.attacker}/attack.html#{quote(json.dumps({'app': sites.url, 'handlers': handlers}))}"
    page = context.new_page()
    attacker = show(page, sites, address, where)
    before = len(sites.asked(sites.attacker))

    assert attacker.evaluate("attack()") == {}

    asked = sites.asked(sites.attacker)[before:]
    # The cookie does come along: the app's own rules are all that is in the way.
    cookies = [one for one in context.cookies(sites.url) if one["name"] == "videogen_session"]
    assert cookies
    assert {(method, path) for method, path, _ in asked} == ASKED
    assert [one for one in asked if one[2] not in (403, 404, 405)] == []
    # The app itself is not shown in a frame of the attacker.
    expect(attacker.frame_locator("#app").locator("#prompt")).to_have_count(0)
    page.close()
