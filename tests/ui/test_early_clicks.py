"""A click that comes before the page's watcher has its effect once the watcher is there."""

import asyncio
from types import SimpleNamespace

import gradio as gr
import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import engine
from videogen.ui.events import Events
from videogen.ui.form import Limits, engine_form
from videogen.ui.form_fields import FormFields
from videogen.ui.handlers import HANDLERS
from videogen.ui.pace import Pace
from videogen.ui.pages import Visit
from videogen.ui.tab import Site
from videogen.ui.tabs import Tabs
from videogen.ui.watch import Watch, Watched

REQUEST = SimpleNamespace(session_hash="tab", cookies={}, headers={}, client=None)


@pytest.fixture
def site():
    return Site([engine_form(engine(), Limits())])


@pytest.fixture
def click(client, site, tabs):
    events = Events(client, tabs.pages, FormFields(site.engines), site)

    async def run(token="mine", **data):
        await events.act(gr.EventData(None, data), REQUEST, {"token": token})

    return run


@pytest.fixture
def tabs():
    return Tabs()


async def first_frame(tabs, client, site):
    frames = Watch(Watched(tabs, Pace(), site), client, "tab").frames(Visit(token="mine"))
    async with asyncio.timeout(10):
        frame = await anext(frames)
    await frames.aclose()
    return "".join(html for html in frame[:-1] if isinstance(html, str))


async def test_what_was_opened_and_selected_is_shown(api, client, site, tabs, click):
    older = generation_json("gen_a", status="completed", prompt="the older one")
    api.session("mine", older, generation_json("gen_b", status="completed", createdAt="2026-12-01T00:00:00Z"))
    await click(do="select", generationId="gen_a")
    await click(do="help")
    shown = await first_frame(tabs, client, site)
    assert 'data-status="completed" data-generation-id="gen_a"' in shown
    assert 'data-name="help"' in shown


async def test_what_is_deleted_in_one_tab_goes_from_the_others_of_the_browser_alone(api, client, site, tabs, click):
    """Those of the same token: each page has its own."""
    api.session("mine", generation_json("gen_a", status="completed"))
    watchers = {name: Watch(Watched(tabs, Pace(), site), client, name) for name in ("tab", "next", "device")}
    frames = [watch.frames(Visit(token="mine")) for watch in watchers.values()]
    async with asyncio.timeout(10):
        for one in frames:
            await anext(one)
        tabs.pages.get("device").token = "another device's"
        await click(do="trash", generationId="gen_a")
    left = {name: [item.id for item in tabs.pages.get(name).history.items] for name in watchers}
    assert left == {"tab": [], "next": [], "device": ["gen_a"]}
    for one in frames:
        await one.aclose()


async def test_what_was_refused_is_said(api, client, site, tabs, click):
    api.session("mine")
    await click(do="select", generationId="gen_x")
    assert "This generation is not there any more." in await first_frame(tabs, client, site)


async def test_another_session_cannot_bring_anything_onto_the_page(api, client, site, tabs, click):
    api.session("mine")
    api.session("other")
    await click("other", do="help")
    assert 'data-name="help"' not in await first_frame(tabs, client, site)


@pytest.mark.parametrize("watchers_before", [0, 1])
async def test_what_a_slow_click_selects_is_shown_though_the_watcher_came_meanwhile(
    api, client, site, tabs, click, watchers_before, monkeypatch
):
    """The first watcher of a tab, or one that began anew: neither may lose what the click asked for."""
    newer = generation_json("gen_b", status="completed", createdAt="2026-12-01T00:00:00Z")
    api.session("mine", generation_json("gen_a", status="completed"), newer)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(tab, _click):
        asked.set()
        await answer.wait()
        tab.board.put(await tab.client.get("gen_a"))
        tab.board.select("gen_a")

    monkeypatch.setitem(HANDLERS, "slow", slow)

    def begin():
        return Watch(Watched(tabs, Pace(), site), client, "tab").frames(Visit(token="mine"))

    async with asyncio.timeout(10):
        for _ in range(watchers_before):
            before = begin()
            await anext(before)
        clicked = asyncio.create_task(click(do="slow"))
        await asked.wait()
        frames = begin()
        await anext(frames)
        answer.set()
        await clicked
        shown = "".join(html for html in (await anext(frames))[:-1] if isinstance(html, str))
    assert 'data-status="completed" data-generation-id="gen_a"' in shown
