"""The form is made from the engine's schema; a recipe comes back into it from a result, from a file, from a preset."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import SHIFTS
from tests.support.pictures import encoded
from videogen.media.encode import SegmentEncoder, VideoShape
from videogen.media.image import write_still

pytestmark = pytest.mark.browser

GIVE = Path(__file__).with_name("give.js").read_text()
SMALL = {"width": 322, "height": 240, "durationSeconds": 1.25, "fps": 15}
ODD = {"steps": 7, "guidanceScale": 3.5, "style": "film_noir", "loop": True, "caption": "<i>ä</i>", "weights": [2]}


@pytest.fixture
def where(request):
    """The page itself, unless a test asks for both."""
    return getattr(request, "param", "page")


@pytest.fixture
def http(app):
    with httpx.Client(base_url=app.base_url, trust_env=False) as http:
        yield http


class Api:
    """The API as the person behind a tab would use it."""

    def __init__(self, http, tab):
        self.http = http
        self.http.headers["Authorization"] = f"Bearer {tab.evaluate('videogen.session.token()')}"

    def get(self, generation):
        return self.http.get(f"/api/v1/generations/{generation}").raise_for_status().json()

    def submit(self, **body):
        answer = self.http.post("/api/v1/generations", json={"prompt": "from the API", "engine": "odd"} | body)
        return answer.raise_for_status().json()["generations"][0]["id"]

    def file(self, generation):
        told = self.get(generation)
        return self.http.get(told["videoUrl"] or told["imageUrl"]).raise_for_status().content


def setting(tab, name):
    return tab.find(f"#setting-{name}")


def fault(tab, name):
    return tab.find(f"#setting-{name}-fault")


def draft(tab):
    return tab.evaluate("JSON.stringify(videogen.draft.read())")


@pytest.mark.parametrize("where", ["page", "iframe"], indirect=True)
def test_an_engines_own_settings_are_asked_for_checked_kept_and_sent(http, tab):
    tab.choose_engine("Odd")
    groups = tab.find("#own-settings legend")
    expect(groups).to_have_text(["Sampling", "Look", "More of this engine"])
    expect(tab.find("#own-settings").get_by_label("Caption <b>bold</b>", exact=True)).to_be_visible()
    steps, guidance = setting(tab, "steps"), setting(tab, "guidanceScale")
    assert [steps.get_attribute(name) for name in ("type", "min", "max", "step")] == ["number", "1", "50", "1"]
    expect(steps).to_have_value("30")
    expect(steps).to_have_accessible_description("More is finer and slower. 1 to 50. Default: 30 rounds.")

    # What is out of range is said at its field, and not sent.
    tab.prompt.fill("an odd film")
    guidance.fill("99")
    tab.find("#generate").click()
    expect(fault(tab, "guidanceScale")).to_have_text("Expected at most 20, got 99.")
    expect(tab.find("#form-error")).to_have_text("Guidance scale: expected at most 20, got 99.")
    expect(guidance).to_be_focused()
    expect(guidance).to_have_attribute("aria-invalid", "true")
    setting(tab, "weights").fill("[1,")
    expect(fault(tab, "weights")).to_have_text("Expected valid JSON, got [1,.")
    expect(tab.status).to_have_attribute("data-generation-id", "")

    # Set to what was given, they are sent in the API's own words.
    steps.fill("7")
    guidance.fill("3.5")
    setting(tab, "style").select_option("Film noir")
    setting(tab, "loop").check()
    setting(tab, "caption").fill(ODD["caption"])
    setting(tab, "weights").fill("[2]")
    setting(tab, "lora2X").select_option("The engine's choice")
    expect(tab.find("#form-error")).to_have_text("")
    tab.find("#shape").get_by_text("Custom").click()
    expect(tab.find("#detail")).to_be_hidden()
    expect(tab.find("#size-width")).to_have_value("512")
    tab.find("#size-width").fill("322")
    tab.find("#size-height").fill("9000")
    expect(tab.find("#size-height-fault")).to_have_text("Expected at most 2160, got 9000.")
    tab.find("#size-height").fill("240")
    tab.kept('"240"')

    # Another engine has none of it, and a reload forgets none of it, without a jump.
    tab.choose_engine("Gated")
    expect(tab.find("#own-settings")).to_be_hidden()
    tab.choose_engine("Odd")
    tab.kept('"engine":"odd"')
    tab.page.add_init_script(SHIFTS)
    tab.reload()
    tab.says("Live")
    expect(setting(tab, "style")).to_have_value("0")
    expect(tab.find("#size-height")).to_have_value("240")
    assert tab.evaluate("window.shifted") <= 0.02

    tab.find("#generate").click()
    made = tab.next_after("")
    tab.shows(made, "completed")
    api = Api(http, tab)
    sent = api.get(made)["settings"]
    assert {name: sent[name] for name in ODD} == ODD
    assert (sent["lora2X"], sent["width"], sent["height"]) == (None, 322, 240)
    tab.find("#job-recipe summary").click()
    recipe = tab.find("#recipe-facts")
    for words in ("Film noir", "7 rounds", "<i>ä</i>", api.get(made)["recipeHash"]):
        expect(recipe).to_contain_text(words)

    # A missing value is the default again, by the button and by an empty field.
    tab.find("[data-reset=steps]").click()
    expect(steps).to_have_value("30")
    expect(steps).to_be_focused()
    guidance.fill("")
    # What slips through is told by the API, at the same place.
    tab.evaluate("videogen.settings.faults = () => []")
    setting(tab, "caption").fill("x" * 21)
    tab.find("#generate").click()
    expect(tab.find("#form-error")).to_contain_text("Caption <b>bold</b>: expected at most 20 characters, got")
    expect(fault(tab, "caption")).to_contain_text("Expected at most 20 characters, got")
    setting(tab, "caption").fill("")
    tab.find("#generate").click()
    again = tab.next_after(made)
    assert {name: api.get(again)["settings"][name] for name in ("steps", "guidanceScale", "caption")} == {
        "steps": 30,
        "guidanceScale": 7.5,
        "caption": None,
    }


def test_a_result_is_used_again_exactly_with_a_new_seed_and_varied(http, tab):
    api = Api(http, tab)
    settings = SMALL | ODD | {"seed": 2**53 - 1}
    old = api.submit(settings=settings, negativePrompt="clouds")
    tab.history(old).locator(".vg-card").click()
    tab.shows(old, "completed")
    tab.prompt.fill("what I was writing")
    tab.kept("what I was writing")

    tab.find("#use-settings").click()
    expect(tab.prompt).to_have_value("from the API")
    expect(tab.seed).to_have_value(str(2**53 - 1))
    expect(tab.find("#size-width")).to_have_value("322")
    expect(tab.find("#fps input")).to_have_value("15 fps")
    expect(setting(tab, "steps")).to_have_value("7")
    tab.find("#form-undo").click()
    expect(tab.prompt).to_have_value("what I was writing")
    expect(tab.find("#own-size")).to_be_hidden()
    tab.find("#use-settings").click()
    expect(tab.prompt).to_have_value("from the API")
    tab.find("#generate").click()
    same = tab.next_after(old)
    assert api.get(same)["recipeHash"] == api.get(old)["recipeHash"]

    tab.shows(same, "completed")
    tab.find("#new-seed").click()
    other = api.get(tab.next_after(same))
    assert other["seed"] != 2**53 - 1
    assert other["settings"] | {"seed": 0} == api.get(old)["settings"] | {"seed": 0}
    tab.shows(other["id"], "completed")
    tab.find("#vary").dblclick()
    first = api.get(tab.next_after(other["id"]))
    project = [
        item for item in http.get("/api/v1/generations").json()["items"] if item["projectId"] == first["projectId"]
    ]
    assert len({item["seed"] for item in project}) == 4
    assert len(http.get("/api/v1/generations").json()["items"]) == 7


def foreign(folder):
    """A whole MP4 that nobody here made."""
    with SegmentEncoder(folder / "foreign.mp4", VideoShape(64, 64, 8)) as encoder:
        for _ in range(8):
            encoder.write(np.zeros((64, 64, 3), np.uint8))
    return (folder / "foreign.mp4").read_bytes()


def with_recipe(folder, recipe):
    """A still that carries what is given, be it a recipe or not."""
    told = recipe if isinstance(recipe, str) else json.dumps(recipe)
    write_still(np.zeros((32, 32, 3), np.uint8), folder / "hostile.png", {"comment": told})
    return (folder / "hostile.png").read_bytes()


def test_a_file_made_here_brings_its_recipe_back_and_no_other_file_changes_anything(http, tab, tmp_path):
    api = Api(http, tab)
    video = api.submit(settings=SMALL | ODD | {"seed": 41}, negativePrompt="clouds")
    still = api.submit(engine="develops", type="image", settings={"width": 320, "height": 200, "seed": 42})
    tab.history(video).locator(".vg-card").click()
    tab.shows(video, "completed")
    expect(tab.history(still)).to_be_visible()
    film, picture = api.file(video), api.file(still)

    def give(how, data, name="a.mp4", kind="video/mp4"):
        tab.evaluate(GIVE, [how, list(data), name, kind])

    error, filled = tab.find("#form-error"), tab.find("#form-filled")
    give("drop", film, "film.mp4")
    expect(filled).to_contain_text("The form now holds the settings of film.mp4.")
    expect(tab.prompt).to_have_value("from the API")
    expect(tab.seed).to_have_value("41")
    expect(tab.find("#negative input, #negative textarea")).to_have_value("clouds")
    expect(tab.find("#size-height")).to_have_value("240")
    tab.find("#generate").click()
    same = tab.next_after(video)
    assert api.get(same)["recipeHash"] == api.get(video)["recipeHash"]

    give("paste", picture, "picture.png", "image/png")
    expect(tab.find("#make-image")).to_be_checked()
    expect(tab.seed).to_have_value("42")
    expect(tab.find("#engine input")).to_have_value("Develops")
    tab.kept('"engine":"develops"')

    before = draft(tab)
    bad = {
        "carries no recipe": foreign(tmp_path),
        "cut short": film[:-20],
        "cut short, in its notes": film[: film.find(b'"numFrames"')],
        "not an MP4": b"hello, this is no film at all",
        "nothing": b"",
        "a box without an end": b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01moov" + b"\xff" * 8,
    }
    recipe = json.loads(film[film.find(b'{"type"') : film.find(b',"understanding"')] + b"}")
    pictures = {
        name: with_recipe(tmp_path, recipe | changes)
        for name, changes in {
            "another engine": {"engine": "constructor"},
            "out of range": {"settings": {"steps": 77}},
            "no choice": {"settings": {"style": ["film_noir"]}},
            "a wrong type": {"width": "322"},
            "no frames": {"numFrames": 0},
            "too many pixels": {"width": 3840, "height": 2160},
            "too long": {"numFrames": 15 * 60},
            "a seed below nothing": {"seed": -1},
            "a seed above everything": {"seed": 2**62},
            "no settings": {"settings": [1]},
            "a control character": {"prompt": "a\u0000b"},
            "an endless prompt": {"prompt": "a" * 3000},
        }.items()
    }
    for name, data in (bad | pictures).items():
        ending, kind = ("png", "image/png") if name in pictures else ("mp4", "video/mp4")
        give("drop", data, f"{name}.{ending}", kind)
        expect(error).to_contain_text(f"{name}.{ending}: ")
        expect(error).to_contain_text("Nothing was changed.")
    assert draft(tab) == before

    # What is no setting of the engine is left alone, also where its name is dangerous.
    hostile = json.dumps(recipe).replace(
        '"settings": {', '"__proto__": {"steps": 1}, "settings": {"__proto__": {"steps": 2}, '
    )
    give("drop", with_recipe(tmp_path, hostile), "proto.png", "image/png")
    expect(filled).to_contain_text("proto.png")
    expect(setting(tab, "steps")).to_have_value("7")
    assert tab.evaluate("({}).steps === undefined")

    # A picture that is not ours is one to start from; by the button a film is, too.
    tab.choose_engine("Develops")
    give("drop", encoded(Image.new("RGB", (120, 80), (210, 30, 30))), "red.png", "image/png")
    expect(tab.find("#input-field")).to_have_attribute("data-state", "chosen")
    film_file = {"name": "again.mp4", "mimeType": "video/mp4", "buffer": film}
    tab.find("#recipe-file").set_input_files(film_file)
    expect(filled).to_contain_text("again.mp4")
    expect(error).to_have_text("")
    expect(tab.seed).to_have_value("41")
    tab.find("#form-undo").click()
    expect(tab.find("#engine input")).to_have_value("Develops")


def test_presets_start_at_once_and_own_ones_are_kept_renamed_and_deleted(http, tab):
    tab.prompt.fill("my own words")
    tab.kept("my own words")
    tab.find("#stage-presets").get_by_role("button", name="Noir").dblclick()
    made = tab.next_after("")
    tab.shows(made, "completed")
    api = Api(http, tab)
    told = api.get(made)
    assert (told["engine"], told["prompt"]) == ("odd", "a street at night")
    assert (told["settings"]["steps"], told["settings"]["style"]) == (12, "film_noir")
    assert len(http.get("/api/v1/generations").json()["items"]) == 1, "a double press is one"
    # The form holds it, and lets go of it again.
    expect(setting(tab, "steps")).to_have_value("12")
    tab.find("#form-undo").click()
    expect(tab.prompt).to_have_value("my own words")

    tab.choose_engine("Odd")
    setting(tab, "steps").fill("9")
    tab.kept('"9"')
    tab.find("#preset-save").click()
    expect(tab.find("#preset-name")).to_have_value("my own words")
    tab.find("#preset-name").fill("<b>Mine</b>")
    tab.page.keyboard.press("Enter")
    mine = tab.find("#own-presets > li")
    expect(mine).to_contain_text("<b>Mine</b>")
    mine.get_by_role("button", name="Rename").click()
    tab.find("#preset-name").fill("Ours")
    tab.page.keyboard.press("Enter")
    tab.prompt.fill("something else")
    tab.kept("something else")

    tab.reload()
    expect(mine).to_have_count(1)
    mine.get_by_role("button", name="Ours my own words: fill the form and start").click()
    again = tab.next_after(made)
    assert (api.get(again)["prompt"], api.get(again)["settings"]["steps"]) == ("my own words", 9)
    mine.get_by_role("button", name="Delete Ours").click()
    expect(mine).to_have_count(0)
    tab.find("#presets-undo").click()
    expect(mine).to_have_count(1)
    mine.get_by_role("button", name="Delete Ours").click()
    expect(tab.find("#presets-words")).to_have_text("“Ours” was deleted.")
