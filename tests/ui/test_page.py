"""The page as Gradio gets it: its ids, its privacy, and that it needs nothing from elsewhere."""

import json
import re
from dataclasses import replace

import gradio as gr
import pytest
from fastapi import FastAPI

from tests.ui.conftest import engine
from videogen.core.i18n import catalog
from videogen.ui import assets
from videogen.ui.form import Limits, engine_form
from videogen.ui.gradio_guard import GradioGuard
from videogen.ui.page import PageSettings, build_page, mount_page
from videogen.ui.page_client import PageClient
from videogen.ui.tabs import Tabs

IDS = {
    *("prompt", "generate", "cancel", "retry", "download", "result-video", "job-status", "job-progress"),
    *("job-preview", "connection", "history", "active", "notice", "form-error"),
    *("intake", "make-video", "make-image", "variations", "input-file", "input-remove", "input-error", "animate"),
}
PARTS = ("masthead", "stage", "job", "active", "history", "take", "intake", "engine_note")


@pytest.fixture(scope="module")
def settings():
    hostile = engine(
        title="</script><b>", description="</script><img src=x onerror=alert(1)>", id="other", default=False
    )
    return PageSettings("http://videogen.test", [hostile, engine()])


@pytest.fixture
async def page(settings):
    # Without a running loop Gradio makes one of its own, and leaves it open.
    return build_page(settings, PageClient(settings.api_url), Tabs())


def markup():
    return "\n".join(assets.read(f"html/{name}.html") for name in PARTS)


def test_every_promised_id_is_there_once(page):
    ids = [block.elem_id for block in page.blocks.values() if getattr(block, "elem_id", None)]
    ids += re.findall(r'\bid="([\w-]+)"', markup())
    assert set(ids) >= IDS
    assert len(ids) == len(set(ids))


TOOLS = {"generate_video", "get_generation", "wait_for_generation", "cancel_generation", "list_generations"}


def test_no_handler_is_an_endpoint_but_the_tools_for_agents(page):
    public = {fn.api_name for fn in page.fns.values() if fn.api_visibility != "private"}
    assert public == TOOLS
    assert {name.lstrip("/") for name in page.get_api_info()["named_endpoints"]} == TOOLS


def test_nothing_waits_for_a_turn_of_gradios_queue(page):
    assert all(fn.concurrency_limit is None for fn in page.fns.values())


def test_every_call_that_needs_the_session_takes_the_one_that_the_page_knows(page):
    takes_session = [fn for fn in page.fns.values() if fn.fn and any(isinstance(i, gr.BrowserState) for i in fn.inputs)]
    assert takes_session
    assert [fn.name for fn in takes_session if not fn.js] == []


async def test_gradio_keeps_no_history_of_its_own(settings):
    app = FastAPI()
    mount_page(app, settings)
    guard = app.routes[-1].app
    assert isinstance(guard, GradioGuard)
    blocks = guard.app.app.app.get_blocks()
    assert blocks.run_history is False
    assert blocks.footer_links == []
    assert not blocks.analytics_enabled


async def test_a_start_removes_what_was_uploaded_before(settings, tmp_path):
    start = mount_page(FastAPI(), replace(settings, upload_folder=tmp_path / "uploads"))
    (tmp_path / "uploads" / "abc").mkdir(parents=True)
    start("secret")
    assert not (tmp_path / "uploads").exists()


def test_the_default_engine_comes_first(page):
    (dropdown,) = [block for block in page.blocks.values() if getattr(block, "elem_id", None) == "engine"]
    assert isinstance(dropdown, gr.Dropdown)
    assert dropdown.value == "procedural"


def test_nothing_comes_from_another_host(settings):
    head = assets.head([engine_form(one, Limits()) for one in settings.engines], catalog("en"))
    urls = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", head)) - {"//www.w3.org", "http://www.w3.org"}
    assert urls == set()


def test_an_engines_words_cannot_leave_their_element(settings):
    head = assets.head([engine_form(one, Limits()) for one in settings.engines], catalog("en"))
    (told,) = re.findall(r'id="engine-forms">(.*?)</script>', head, re.DOTALL)
    assert json.loads(told)[0]["title"] == "</script><b>"


@pytest.mark.parametrize("name", [*assets.SCRIPTS, "mount/room", "mount/outcome"])
def test_scripts_never_write_markup(name):
    script = assets.read(f"js/{name}.js")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script)
