"""Pause, order, and changes of what waits."""

import json

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import engine, generation
from videogen.ui.form import Limits, engine_form
from videogen.ui.tab import Site

OWN = {"style": {"title": "Style", "type": "string", "enum": ["calm", "wild"], "default": "calm"}}


@pytest.fixture
def waiting(api, tab):
    """Three that wait."""
    rows = [generation_json(name, queuePosition=place) for place, name in enumerate(("gen_a", "gen_b", "gen_c"), 1)]
    api.session("mine", *rows)
    for place, name in enumerate(("gen_a", "gen_b", "gen_c"), 1):
        tab.board.put(generation(name, queuePosition=place))


@pytest.fixture
def form(tab):
    tab.site = Site([engine_form(engine(), Limits())])


async def test_the_queue_is_paused_and_goes_on(tab, click):
    await click("pause")
    assert tab.board.is_paused
    await click("resume")
    assert not tab.board.is_paused


@pytest.mark.parametrize(
    ("name", "moved", "before"),
    [
        ("front", "gen_c", "gen_a"),
        ("earlier", "gen_c", "gen_b"),
        ("earlier", "gen_b", "gen_a"),
        ("later", "gen_a", "gen_c"),
        ("later", "gen_b", None),
    ],
)
async def test_a_button_moves_it(api, click, waiting, name, moved, before):
    await click(name, generationId=moved)
    (request,) = [one for one in api.requests if one.url.path.endswith("/move")]
    assert request.url.path == f"/api/v1/generations/{moved}/move"
    assert json.loads(request.content) == {"before": before}


@pytest.mark.parametrize(
    ("name", "moved"), [("front", "gen_a"), ("earlier", "gen_a"), ("later", "gen_c"), ("later", "x")]
)
async def test_what_cannot_be_moved_further_stays(api, click, waiting, name, moved):
    await click(name, generationId=moved)
    assert api.requests == []


async def test_edit_sends_only_what_was_changed(api, tab, click, html, waiting, form):
    await click("edit", generationId="gen_b")
    assert 'id="edit-prompt"' in html("dialog")
    typed = {one.name: one.text for one in tab.dialog.values["fields"]}
    await click("save-edit", **typed | {"prompt": " fog ", "seed": "", "durationSeconds": "2,5"})
    (request,) = [one for one in api.requests if one.method == "PATCH"]
    assert json.loads(request.content) == {"prompt": "fog", "settings": {"seed": None, "durationSeconds": 2.5}}
    assert tab.dialog is None


async def test_an_edit_without_a_change_sends_nothing(api, tab, click, waiting, form):
    await click("edit", generationId="gen_b")
    await click("save-edit", **{one.name: one.text for one in tab.dialog.values["fields"]})
    assert api.paths("PATCH") == []
    assert tab.dialog is None


async def test_a_refused_edit_keeps_what_was_typed_and_says_why(api, tab, click, html, waiting, form):
    await click("edit", generationId="gen_b")
    errors = [{"field": "settings.fps", "expected": "1 to 30", "got": "90"}]
    body = {"title": "Invalid", "status": 422, "detail": "settings.fps: no.", "code": "invalid_request"}
    api.canned["PATCH", "/generations/gen_b"] = 422, body | {"errors": errors}
    await click("save-edit", prompt="fog", fps="90")
    assert ">fog</textarea>" in html("dialog")
    assert 'name="fps"' in html("dialog")
    assert 'value="90"' in html("dialog")
    assert "1 to 30" in html("dialog")


async def test_the_own_settings_of_an_engine_can_be_edited(api, tab, click, html, waiting):
    schema = {"properties": engine().settings_schema["properties"] | OWN}
    tab.site = Site([engine_form(engine(settingsSchema=schema), Limits())])
    await click("edit", generationId="gen_a")
    assert '<option value="wild">' in html("dialog")
    await click("save-edit", style="wild")
    (request,) = [one for one in api.requests if one.method == "PATCH"]
    assert json.loads(request.content) == {"settings": {"style": "wild"}}
