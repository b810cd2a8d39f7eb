"""What was made once, made again: into the form, with new seeds, as the start of a video."""

import json

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import ENGINE, engine
from videogen.ui.form import Limits, engine_form
from videogen.ui.tab import Site

SIZE = {"width": 512, "height": 288, "durationSeconds": 4, "fps": 24}
FACTS = {"engineVersion": "1", "prompt": "sea", "negativePrompt": "clouds", "settings": SIZE}


@pytest.fixture
def offered(tab):
    """`offered(engine(...), ...)`: what the form offers."""

    def offer(*engines):
        tab.site = Site([engine_form(one, Limits()) for one in engines])

    offer(engine())
    return offer


async def test_use_fills_the_whole_form(api, tab, click, offered):
    api.session("mine", generation_json("gen_a", status="completed", **FACTS))
    values = await click("use-settings", generationId="gen_a")
    assert (values["prompt"], values["negative"], values["seed"]) == ("sea", "clouds", "7")
    assert (values["engine"], values["type"], values["variations"]) == ("procedural", "video", 1)
    assert (values["shape"], values["detail"], values["seconds"], values["fps"]) == ("16:9", "288", 4, 24)
    assert tab.notice.text == "The form now holds the settings of “sea”."
    assert tab.notice.form_back


async def test_a_size_that_is_no_shape_is_typed(api, tab, click, offered):
    api.session("mine", generation_json("gen_a", width=640, height=300, **FACTS))
    values = await click("use-settings", generationId="gen_a")
    assert (values["shape"], values["width"], values["height"]) == ("custom", 640, 300)


async def test_the_own_settings_of_an_engine_come_along(api, tab, click, offered):
    own = {"steps": {"type": "integer", "default": 30}, "weights": {"type": "array", "default": [1.0]}}
    offered(engine(settingsSchema={"properties": own}))
    api.session("mine", generation_json("gen_a", **FACTS | {"settings": {"steps": 12}}))
    values = await click("use-settings", generationId="gen_a")
    assert (values["procedural.steps"], values["procedural.weights"]) == (12, "[1.0]")


async def test_another_engine_or_version_is_named(api, tab, click, offered):
    api.session("mine", generation_json("gen_a", engine="gone"), generation_json("gen_b", engineVersion="0"))
    values = await click("use-settings", generationId="gen_a")
    assert values["engine"] == "procedural"
    assert "engine gone is not available here" in tab.notice.text
    await click("use-settings", generationId="gen_b")
    assert "version 0 of Procedural; here is 1" in tab.notice.text


async def test_a_still_becomes_the_start_of_a_video(api, tab, click, offered):
    still = generation_json("gen_a", type="image", status="completed", fileId="fil_a", engine="draws")
    api.session("mine", still)
    assert await click("animate", generationId="gen_a") == {}, "no engine starts from an image"
    offered(engine(id="draws"), engine(id="moves", capabilities={"imageInput": True}))
    values = await click("animate", generationId="gen_a")
    assert (values["type"], values["image_id"], values["seed"]) == ("video", "fil_a", "")
    assert (values["engine"], values["prompt"]) == ("moves", "sea")


async def test_a_still_becomes_the_end_of_the_form_s_video(api, tab, click):
    still = generation_json("gen_a", type="image", status="completed", fileId="fil_a")
    api.session("mine", still)
    assert await click("end-with", generationId="gen_a") == {}, "the form's engine takes none"
    tab.takes_last = True
    assert await click("end-with", generationId="gen_a") == {"last_id": "fil_a"}


async def test_a_video_goes_on_with_its_own_settings_and_some_seconds_more(api, tab, click, offered):
    short = ENGINE["settingsSchema"]["properties"] | {"durationSeconds": {"minimum": 1, "maximum": 5, "default": 5}}
    made = generation_json("gen_a", status="completed", inputFileId="fil_a", **FACTS | {"durationSeconds": 4})
    api.session("mine", made | {"variations": 4})
    offered(engine(capabilities={}))
    assert await click("extend", generationId="gen_a") == {}, "no engine goes on from a video"
    offered(engine(capabilities={"extend": True}, settingsSchema={"properties": short}))
    values = await click("extend", generationId="gen_a")
    assert (values["extend_id"], values["image_id"], values["variations"]) == ("gen_a", "", 1)
    assert (values["prompt"], values["seed"], values["shape"], values["fps"]) == ("sea", "7", "16:9", 24)
    assert values["seconds"] == 9, "the whole may be longer than what the engine makes at once"
    assert tab.extended.id == "gen_a"
    assert tab.notice.text.startswith("Press Generate to make a longer video of “sea”: 9 s in all.")
    assert tab.notice.form_back
    api.session("mine", made | {"durationSeconds": 18})
    assert (await click("extend", generationId="gen_a"))["seconds"] == Limits().max_seconds


async def test_what_stood_in_the_form_comes_back(tab, click):
    tab.form_before = {"prompt": "mine"}
    assert await click("form-back") == {"prompt": "mine"}
    assert tab.notice.text == "Your form is as it was."


async def test_vary_asks_for_one_project_with_seeds_of_its_own(api, tab, click):
    api.session("mine", generation_json("gen_a", **FACTS | {"settings": SIZE | {"seed": 7}}))
    await click("again", generationId="gen_a", variations="4")
    asked = json.loads(api.requests[-1].content)
    assert asked["variations"] == 4
    assert asked["settings"] == SIZE
    assert tab.board.selected_id == "gen_0"


@pytest.mark.parametrize("count", ["²", "x", "0", None])
async def test_again_without_a_number_is_one(api, tab, click, count):
    api.session("mine", generation_json("gen_a", **FACTS | {"settings": SIZE}))
    await click("again", generationId="gen_a", variations=count)
    assert json.loads(api.requests[-1].content).get("variations", 1) == 1
