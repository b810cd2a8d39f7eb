"""What a person can do on the page."""

import json
from datetime import datetime
from types import SimpleNamespace

import gradio as gr
import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import at, engine
from videogen.core.i18n import catalog
from videogen.ui.actions import Actions
from videogen.ui.form import Limits, engine_form
from videogen.ui.pages import Page, Pages
from videogen.ui.texts import Texts

FORM = ["Sea", "", "16:9", "288", 4, 24, "7", "procedural"]
BROWSER = {"token": "mine", "key": "key-1"}


@pytest.fixture
def pages():
    return Pages()


@pytest.fixture
def actions(client, pages):
    return Actions(client, pages, [engine_form(engine(), Limits())])


@pytest.fixture
def page(api, client, pages):
    api.session("mine", generation_json("gen_a", status="processing"))
    page = Page(client.as_session("mine"), Texts(catalog("en")), token="mine")
    pages.open("tab", page)
    return page


REQUEST = SimpleNamespace(session_hash="tab", cookies={}, headers={})


def click(generation_id="gen_a"):
    return gr.EventData(None, {"id": generation_id})


async def test_generate_shows_the_new_one_and_accepts_the_key(actions, page):
    told = await actions.generate(REQUEST, *FORM, BROWSER)
    assert told["accepted"] == "key-1"
    assert page.board.selected.prompt == "Sea"
    assert page.bell.is_set()
    assert page.alarm.is_set()


async def test_generate_sends_what_the_plain_part_of_the_form_wishes_for(api, actions, page):
    wishes = {"type": "image", "variations": 3, "inputFileId": "fil_a"}
    told = await actions.generate(REQUEST, *FORM, BROWSER | {"wishes": wishes})
    assert told["accepted"] == "key-1"
    sent = json.loads(api.requests[-1].content)
    assert {name: sent[name] for name in wishes} == wishes
    assert "durationSeconds" not in sent["settings"]


@pytest.mark.parametrize("wishes", [{"type": "sound"}, {"variations": 99}])
async def test_a_wish_that_nobody_can_have_is_said_next_to_the_form(api, actions, page, wishes):
    told = await actions.generate(REQUEST, *FORM, BROWSER | {"wishes": wishes})
    assert told["error"].startswith(("Make: expected", "Variations: expected"))
    assert api.requests == []


@pytest.mark.parametrize("wishes", [None, "type", ["image"]])
async def test_wishes_of_another_shape_are_none(api, actions, page, wishes):
    await actions.generate(REQUEST, *FORM, BROWSER | {"wishes": wishes})
    assert "type" not in json.loads(api.requests[-1].content)


async def test_a_double_click_makes_one(api, actions, page):
    for _ in range(2):
        await actions.generate(REQUEST, *FORM, BROWSER)
    assert len(page.board.active()) == 1
    assert [request.headers["idempotency-key"] for request in api.requests] == ["key-1", "key-1"]


async def test_what_the_form_or_the_api_refuses_is_said_next_to_the_form(actions, page):
    empty = await actions.generate(REQUEST, "", *FORM[1:], BROWSER)
    assert empty["error"].startswith("Describe")
    control = await actions.generate(REQUEST, "a\x00b", *FORM[1:], BROWSER)
    assert control["error"].startswith("Prompt: expected text without control characters")
    long = await actions.generate(REQUEST, *FORM[:4], 60, *FORM[5:], BROWSER)
    assert long["error"] == "Seconds: expected at most 20, got 60."
    assert page.board.selected is None


async def test_what_the_api_refuses_of_the_engines_own_settings_is_said_at_the_field_too(api, client, pages, page):
    schema = {"properties": {"guidanceScale": {"type": "number", "title": "Guidance"}}}
    actions = Actions(client, pages, [engine_form(engine(settingsSchema=schema), Limits())])
    api.refuse = {"field": "settings.guidanceScale", "expected": "at most 20", "got": "99"}
    told = await actions.generate(REQUEST, *FORM, BROWSER | {"wishes": {"settings": {"guidanceScale": 99}}})
    assert json.loads(api.requests[-1].content)["settings"]["guidanceScale"] == 99
    assert told["error"] == "Guidance: expected at most 20, got 99."
    assert told["faults"] == {"guidanceScale": "Expected at most 20, got 99."}


async def test_again_makes_one_project_of_new_seeds_under_the_key_of_the_click(api, actions, page):
    click = gr.EventData(None, {"id": "gen_a", "variations": 4, "key": "click-1"})
    for _ in range(2):
        told = await actions.again(click, REQUEST, BROWSER)
    assert told["shown"]
    sent = [json.loads(request.content) for request in api.requests if request.method == "POST"]
    assert sent[0] == sent[1]
    assert (sent[0]["variations"], sent[0]["prompt"], "seed" in sent[0]["settings"]) == (4, "sea", False)
    assert api.requests[-1].headers["idempotency-key"] == "click-1"
    assert page.board.selected.id == "gen_0"


async def test_again_of_what_is_gone_says_so(actions, page):
    told = await actions.again(click("gone"), REQUEST, BROWSER)
    assert told["notice"]
    assert page.board.selected is None


async def test_nothing_is_lost_while_the_api_is_down(api, actions, page):
    api.down = True
    told = await actions.generate(REQUEST, *FORM, BROWSER)
    assert "nothing was sent" in told["error"]
    assert "accepted" not in told
    # An answer may have been lost on its way; the key makes asking again safe.
    assert len(api.requests) == 3
    assert len({request.headers["idempotency-key"] for request in api.requests}) == 1


async def test_no_two_answers_are_the_same(actions, page):
    told = [await actions.generate(REQUEST, "", *FORM[1:], BROWSER) for _ in range(2)]
    assert told[0] != told[1]


async def test_cancel_is_shown_at_once(api, actions, page):
    page.board.put((await page.client.list()).items[0])
    await actions.cancel(click(), REQUEST, BROWSER)
    assert api.paths("POST") == ["/api/v1/generations/gen_a/cancel"]
    assert "gen_a" in page.board.cancelling


async def test_a_cancel_that_failed_can_be_pressed_again(api, actions, page):
    api.down = True
    told = await actions.cancel(click(), REQUEST, BROWSER)
    assert told["notice"]
    assert page.board.cancelling == set()


async def test_retry_shows_the_new_one(actions, page):
    await actions.retry(click(), REQUEST, BROWSER)
    assert page.board.selected_id == "gen_a-again"


async def test_choose_reads_it_afresh(actions, page):
    told = await actions.choose(click(), REQUEST, BROWSER)
    assert page.board.selected_id == "gen_a"
    assert told["shown"]


async def test_choosing_what_is_gone_says_so(actions, page):
    told = await actions.choose(click("gone"), REQUEST, BROWSER)
    assert told["notice"] == "This generation is not there any more."
    assert page.board.selected_id is None


async def test_when_what_is_shown_was_deleted_the_stage_goes_on_to_what_comes_next(api, actions, pages, client):
    api.page_size = 2
    ended = [
        generation_json(f"gen_{number}", status="completed", videoUrl="/media/v", createdAt=at(number))
        for number in range(4)
    ]
    api.session("mine", *ended)
    page = Page(client.as_session("mine"), Texts(catalog("en")), token="mine")
    pages.open("tab", page)
    page.board.put_page(await page.client.list())
    page.board.select("gen_3")
    gone = gr.EventData(None, {"ids": ["gen_3", "gen_2"], "next": "gen_1"})
    await actions.gone(gone, REQUEST, BROWSER)
    assert page.board.selected_id == "gen_1", "though it was not known yet"
    assert [item.id for item in page.board.history()] == ["gen_1"]
    assert page.alarm.is_set()
    await actions.gone(gr.EventData(None, {"ids": ["gen_1"], "next": None}), REQUEST, BROWSER)
    assert page.board.selected is None
    for data in (None, "x", {}, {"ids": [None, 7], "next": "gen_none"}):
        await actions.gone(gr.EventData(None, data), REQUEST, BROWSER)
    assert page.board.selected is None


async def test_a_quiet_choice_takes_nobody_to_the_stage(actions, page):
    assert (await actions.choose(click(), REQUEST, BROWSER))["shown"] is True
    quiet = gr.EventData(None, {"id": "gen_a", "quiet": True})
    assert (await actions.choose(quiet, REQUEST, BROWSER))["shown"] is False


async def test_a_tab_that_this_process_does_not_know_still_acts_for_its_session(api, actions):
    api.session("mine", generation_json("gen_a"))
    told = await actions.generate(SimpleNamespace(session_hash="other", cookies={}, headers={}), *FORM, BROWSER)
    assert told["accepted"] == "key-1"
    assert api.requests[-1].headers["authorization"] == "Bearer mine"


@pytest.mark.parametrize("data", [None, "x", {}, {"id": None}])
async def test_a_click_that_names_nothing_harms_nothing(actions, page, data):
    told = await actions.choose(gr.EventData(None, data), REQUEST, BROWSER)
    assert told["notice"]


async def test_what_is_started_before_the_watcher_is_there_comes_on_the_stage(api, client, pages, actions):
    api.session("mine")
    told = await actions.generate(REQUEST, *FORM, BROWSER)
    assert told["accepted"] == "key-1"
    late = Page(client.as_session("mine"), Texts(catalog("en")), token="mine")
    pages.open("tab", late)
    late.board.put_page(await late.client.list())
    assert late.board.selected.prompt == "Sea"


async def test_a_move_is_asked_for_and_what_was_refused_is_said(api, actions, page):
    api.session("mine", generation_json("gen_a", status="queued"), generation_json("gen_b", status="queued"))
    for before in ("gen_b", None):
        event = gr.EventData(None, {"id": "gen_a", "before": before})
        assert "notice" not in await actions.move(event, REQUEST, BROWSER)
        assert api.requests[-1].url.path == "/api/v1/generations/gen_a/move"
        assert json.loads(api.requests[-1].content) == {"before": before}
    assert page.alarm.is_set()
    told = await actions.move(gr.EventData(None, {"id": "gen_x"}), REQUEST, BROWSER)
    assert told["notice"] == "About not_found."


async def test_what_has_ended_since_somebody_looked_is_counted_and_the_newest_video_is_named(api, actions, page):
    def ended(name, seconds, status="completed"):
        return generation_json(name, status=status, createdAt=at(0), updatedAt=at(seconds), finishedAt=at(seconds))

    api.session("mine", ended("old", 10), ended("new", 30), ended("newest", 40), ended("burnt", 50, "failed"))
    since = datetime.fromisoformat(at(10)).timestamp() * 1000
    told = (await actions.away(gr.EventData(None, {"since": since}), REQUEST, BROWSER))["away"]
    assert (told["done"], told["failed"], told["more"], told["newest"]) == (2, 1, False, "newest")
    assert [item["id"] for item in told["items"]] == ["burnt", "newest", "new"]
    assert api.requests[-1].url.params["status"] == "completed,failed"


@pytest.mark.parametrize("since", [None, "yesterday", True, {}])
async def test_a_moment_of_another_shape_is_none(api, actions, page, since):
    before = len(api.requests)
    assert "away" not in await actions.away(gr.EventData(None, {"since": since}), REQUEST, BROWSER)
    assert len(api.requests) == before
