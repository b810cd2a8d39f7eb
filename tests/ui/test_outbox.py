"""Forms that the browser sends: at once, and those that it has kept because there was no answer."""

import asyncio
from types import MappingProxyType

import gradio as gr
import pytest

from tests.ui.conftest import engine
from videogen.ui.events import Events
from videogen.ui.form import Limits, engine_form
from videogen.ui.form_fields import build_form
from videogen.ui.pages import Pages
from videogen.ui.tab import Site


@pytest.fixture
async def fields():
    # Without a running loop Gradio makes one of its own, and leaves it open.
    engines = [engine_form(engine(), Limits())]
    with gr.Blocks(analytics_enabled=False):
        fields = build_form(engines, Limits())
        fields.fields["prompt"] = gr.Textbox()
    return fields


@pytest.fixture
def events(client, fields, tab):
    pages = Pages()
    pages.open("tab", tab)
    return Events(client, pages, fields, Site(fields.engines))


@pytest.fixture
def form(fields):
    """The form's values by name, as they are at first."""
    values = {name: getattr(one, "value", None) for name, one in fields.fields.items()}
    return values | {"type": "video", "variations": 1, "prompt": "a red ball"}


class Request:
    """What Gradio knows of a call."""

    session_hash = "tab"
    cookies = MappingProxyType({})
    headers = MappingProxyType({})
    client = None


SESSION = {"token": "mine"}


def resend(events, form, key):
    return events.resend(gr.EventData(None, {"key": key, "form": form}), Request(), SESSION)


async def test_a_form_that_arrived_and_is_sent_again_makes_one_generation(api, tab, events, form):
    assert await events.generate(Request(), *form.values(), SESSION | {"key": "k1"}) == ""
    assert await resend(events, form, "k1") == ""
    assert list(api.keys) == ["k1"]
    assert tab.board.selected_id == api.keys["k1"]


async def test_two_tabs_that_send_the_same_form_make_one_generation(api, events, form):
    assert await asyncio.gather(resend(events, form, "k1"), resend(events, form, "k1")) == ["", ""]
    assert len(api.sessions["mine"]) == 1


async def test_another_form_is_another_generation(api, events, form):
    await events.generate(Request(), *form.values(), SESSION | {"key": "k1"})
    await events.generate(Request(), *(form | {"prompt": "a blue ball"}).values(), SESSION | {"key": "k2"})
    assert len(api.sessions["mine"]) == 2


async def test_a_kept_form_that_is_refused_says_which_and_why(api, events, form):
    refusal = await resend(events, form | {"prompt": "a <b>film</b>", "seed": "seven"}, "k1")
    assert refusal.startswith('<p role="alert"')
    assert "a &lt;b&gt;film&lt;/b&gt;" in refusal
    assert "seed" in refusal
    assert api.keys == {}


@pytest.mark.parametrize("kept", [None, [], {}, {"prompt": 7}, {"prompt": "x", "type": []}], ids=str)
async def test_what_nobody_can_send_is_refused_in_words(api, events, kept):
    assert await resend(events, kept, "k1") != ""
    assert api.keys == {}


async def test_text_that_no_request_takes_is_refused_in_words(events, tab):
    await events.act(gr.EventData(None, {"do": "rename", "generationId": "gen_a", "title": "\0"}), Request(), SESSION)
    assert "control characters" in tab.notice.text


async def test_the_first_submit_from_a_frame_without_cookies_waits_for_its_session(api, client, fields, tab, form):
    pages, tab.adopt = Pages(), True
    events = Events(client, pages, fields, Site(fields.engines))
    sent = asyncio.create_task(events.generate(Request(), *form.values(), {"key": "k1"}))
    await asyncio.sleep(0)
    assert not sent.done()
    pages.open("tab", tab)
    assert await sent == ""
    assert len(api.sessions["mine"]) == 1


@pytest.mark.parametrize("known", [{"proven": True, "adopt": True}, {"proven": False, "adopt": False}])
async def test_a_submit_without_a_session_is_not_taken_for_one_that_a_browser_has(api, tab, events, form, known):
    tab.proven, tab.adopt = known["proven"], known["adopt"]
    assert "session_required" in await events.generate(Request(), *form.values(), {"key": "k1"})
    assert api.sessions["mine"] == {}
