"""Presets fill the form, and a person's own are kept."""

import pytest

from tests.ui.conftest import engine
from videogen.ui.form import Limits
from videogen.ui.form_fields import engine_forms
from videogen.ui.own_presets import MAX_PRESETS, OwnPreset, own_values, read_presets, write_presets
from videogen.ui.tab import Dialog, Site

STEPS = {"steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 30}}
KITE = {
    "id": "kite",
    "title": "Kite",
    "prompt": "a kite",
    "settings": {"width": 1280, "height": 720, "seed": 21, "steps": 9},
}
FORM = {"prompt": "my words, and more", "engine": "procedural", "seed": "", "image_id": "fil_1", "other.style": "noir"}


@pytest.fixture(autouse=True)
def _engines(tab):
    schema = {"properties": engine().settings_schema["properties"] | STEPS}
    tab.site = Site(engine_forms([engine(settingsSchema=schema, presets=[KITE])], Limits()))
    tab.form = dict(FORM)


async def test_a_preset_fills_the_form_without_its_seed(click):
    values = await click("preset", preset="procedural/kite")
    assert (values["prompt"], values["shape"], values["detail"], values["procedural.steps"]) == (
        "a kite",
        "16:9",
        "720",
        9,
    )
    assert (values["seed"], values["image_id"]) == ("", "")


async def test_the_seed_of_the_picture_comes_where_it_is_asked_for_and_only_then(click, tab):
    tab.form = dict(await click("preset", preset="procedural/kite", seed="21"))
    assert tab.form["seed"] == "21"
    assert (await click("preset", preset="procedural/kite"))["seed"] == "", "a preset's seed is not the person's own"


async def test_a_seed_that_the_person_set_stays(click, tab):
    tab.form["seed"] = "77"
    assert (await click("preset", preset="procedural/kite"))["seed"] == "77"


async def test_a_notice_says_what_fills_the_form_and_can_take_it_back(click, tab):
    await click("preset", preset="procedural/kite")
    assert "“Kite”" in tab.notice.text
    assert tab.notice.form_back


async def test_an_unknown_preset_changes_nothing(click, tab):
    for name, preset in (("preset", "procedural/nothing"), ("preset", ""), ("own-preset", "pre_x")):
        assert await click(name, preset=preset) == {}
    assert tab.notice is None


async def test_the_form_is_kept_under_a_name(click, tab):
    assert await click("ask-preset") == {}
    assert (tab.dialog.name, tab.dialog.values["title"]) == ("preset", "my words")
    await click("keep-preset", title=" <b>Mine</b> ")
    (mine,) = tab.presets
    assert mine.title == "<b>Mine</b>"
    assert mine.form == {"prompt": "my words, and more", "engine": "procedural", "seed": ""}
    assert read_presets(tab.presets_text) == tab.presets
    assert (tab.dialog, tab.notice.text) == (None, "“<b>Mine</b>” is saved in this browser.")
    assert (await click("own-preset", preset=mine.id))["prompt"] == "my words, and more"


async def test_without_a_prompt_or_with_too_many_nothing_is_asked(click, tab):
    tab.form = {"prompt": " "}
    await click("ask-preset")
    assert (tab.dialog, tab.notice.kind) == (None, "warning")
    tab.form, tab.presets = dict(FORM), tuple(OwnPreset(f"pre_{n}", "x", FORM) for n in range(MAX_PRESETS))
    await click("ask-preset")
    assert tab.dialog is None


async def test_one_is_renamed_deleted_and_brought_back_at_its_place(click, tab):
    tab.presets = tuple(OwnPreset(name, name.upper(), FORM) for name in ("a", "b", "c"))
    await click("rename-preset", preset="b")
    assert tab.dialog.values["title"] == "B"
    await click("keep-preset", title="Ours")
    assert [one.title for one in tab.presets] == ["A", "Ours", "C"]
    await click("delete-preset", preset="b")
    assert [one.id for one in tab.presets] == ["a", "c"]
    await click(tab.notice.undo_do)
    assert [one.id for one in tab.presets] == ["a", "b", "c"]
    assert [one.id for one in read_presets(tab.presets_text)] == ["a", "b", "c"]


async def test_a_name_without_the_dialog_or_without_letters_keeps_nothing(click, tab):
    await click("keep-preset", title="Mine")
    tab.dialog = Dialog("preset", {"id": "", "title": "", "form": FORM})
    await click("keep-preset", title="  ")
    assert tab.presets == ()


async def test_other_tabs_and_a_browser_that_stores_nothing_are_heard(click, tab):
    await click("presets", kept=write_presets([OwnPreset("a", "A", {"prompt": "x", "engine": "procedural"})]))
    assert [one.title for one in tab.presets] == ["A"]
    assert tab.presets_text is None
    await click("presets-refused")
    assert tab.notice.kind == "warning"


@pytest.mark.parametrize(
    "text", [None, 7, "", "{", "{}", "[1, null, {}]", '[{"id": "a", "title": "A", "form": {"prompt": 1}}]']
)
def test_what_is_no_preset_is_left_out(text):
    assert read_presets(text) == ()


def test_presets_of_the_page_before_are_read():
    text = (
        '[{"id": "a", "title": "A", "form": {"prompt": "x", "engine": "odd", "seconds": 4, "size": [1, 2], '
        '"inputFileId": null, "own": {"odd": {"steps": 9, "tags": [1]}, "other": {"steps": 1}}}}]'
    )
    (preset,) = read_presets(text)
    sized = {"width": 1, "height": 2}
    assert preset.form == {"prompt": "x", "engine": "odd", "seconds": 4, "odd.steps": 9} | sized
    assert own_values(preset.form) == preset.form
