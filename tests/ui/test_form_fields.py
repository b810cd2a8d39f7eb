"""The form's components: filled by an event, read as a request."""

from dataclasses import replace

import gradio as gr
import pytest

from tests.ui.conftest import engine
from videogen.core.i18n import catalog
from videogen.ui.form import FormError, Limits, engine_form
from videogen.ui.form_fields import build_form, engine_updates
from videogen.ui.texts import Texts

OWN = {"properties": {"steps": {"type": "integer", "default": 30}}}


@pytest.fixture
async def fields():
    # Without a running loop Gradio makes one of its own, and leaves it open.
    engines = [engine_form(one, Limits()) for one in (engine(), engine(id="own", settingsSchema=OWN))]
    with gr.Blocks(analytics_enabled=False):
        fields = build_form(engines, Limits())
        fields.fields |= {"prompt": gr.Textbox(""), "per_line": gr.Checkbox(value=False)}
        return fields


async def test_the_choice_says_which_engine_is_not_available():
    engines = [engine_form(one, Limits()) for one in (engine(), engine(id="own", title="Own", available=False))]
    with gr.Blocks(analytics_enabled=False):
        choices = build_form(engines, Limits()).fields["engine"].choices
    labels = [catalog("en").fill(label) for label, _ in choices]
    assert labels == ["Procedural", "Own (not available)"]


@pytest.mark.parametrize(
    ("capabilities", "schema", "hidden"),
    [
        ({"types": ["video", "image"], "negativePrompt": True}, {}, set()),
        ({"types": ["video"]}, {}, {"type", "negative"}),
        (
            {"types": ["image"]},
            {"properties": {"width": {}, "height": {}}},
            {"type", "negative", "seconds", "fps", "seed"},
        ),
        (
            {"types": ["video", "image"], "negativePrompt": True},
            {"properties": {"durationSeconds": {}, "seed": {}}},
            {"shape", "detail", "fps"},
        ),
    ],
)
async def test_what_an_engine_has_no_use_for_is_hidden(capabilities, schema, hidden):
    made = engine(capabilities=capabilities, settingsSchema=schema)
    engines = [engine_form(one, Limits()) for one in (engine(id="other"), made)]
    with gr.Blocks(analytics_enabled=False):
        later, at_once = build_form(engines, Limits()), build_form(engines[::-1], Limits())
    names = ("type", "shape", "detail", "seconds", "fps", "seed", "negative")
    assert {name for name in names if not at_once.fields[name].visible} == hidden
    changes = engine_updates(later, made.id)
    assert {name for name in names if not changes[later.fields[name]]["visible"]} == hidden
    assert at_once.fields["type"].value == capabilities["types"][0]
    assert changes[later.fields["type"]].get("value") == (capabilities["types"][0] if "type" in hidden else None)


def test_an_engine_of_one_type_is_asked_for_it_whatever_the_form_was_left_at(fields):
    fields.engines = [engine_form(engine(capabilities={"types": ["image"]}), Limits())]
    assert fields.request(values(fields, prompt="fog", type="video")).type == "image"


def values(fields, **changes):
    """The fields' values in their order: what they begin with, and `changes`."""
    return [changes.get(name, component.value) for name, component in fields.fields.items()]


def test_each_line_is_a_request_of_its_own_where_the_form_says_so(fields):
    prompt = " fog \n\n rain\r\nsea "
    assert [one.prompt for one in fields.requests(values(fields, prompt=prompt, per_line=True))] == [
        "fog",
        "rain",
        "sea",
    ]
    assert [one.prompt for one in fields.requests(values(fields, prompt=prompt))] == [prompt.strip()]
    with pytest.raises(FormError, match="has 21 lines; at most 20"):
        fields.requests(values(fields, prompt="fog\n" * 21, per_line=True))
    with pytest.raises(FormError, match="Describe"):
        fields.requests(values(fields, prompt="\n \n", per_line=True))


@pytest.mark.parametrize(
    ("capabilities", "changes", "sent"),
    [
        ({"lastFrame": True, "imageInput": True}, {"image_id": "fil_a"}, "fil_b"),
        ({"lastFrame": True, "imageInput": True}, {}, None),
        (
            {"types": ["video", "image"], "lastFrame": True, "imageInput": True},
            {"image_id": "fil_a", "type": "image"},
            None,
        ),
        ({"lastFrame": True, "lastFrameAlone": True}, {}, "fil_b"),
        ({"imageInput": True}, {"image_id": "fil_a"}, None),
    ],
)
def test_a_last_frame_is_sent_where_the_engine_takes_it(fields, capabilities, changes, sent):
    fields.engines = [engine_form(engine(capabilities=capabilities), Limits())]
    assert fields.request(values(fields, prompt="fog", last_id="fil_b", **changes)).last_frame_file_id == sent


def updates(fields, values):
    """What an event changes, by the component's element id."""
    made = zip(fields.filled(), fields.updates(values, Texts(catalog("en")).gettext), strict=True)
    return {component.elem_id: update for component, update in made if len(update) > 1}


def test_what_is_not_named_stays(fields):
    assert updates(fields, {"seed": "7", "unknown": 1}) == {"seed": gr.update(value="7")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "x"),
        ("width", [1]),
        ("seconds", True),
        ("width", 1e300),
        ("fps", 2**64),
        ("prompt", {}),
        ("type", [1]),
    ],
)
def test_what_a_field_cannot_hold_is_left_out(fields, name, value):
    assert updates(fields, {"seed": "7", name: value}).keys() <= {"seed", "per-line"}


def test_a_frame_rate_that_is_no_number_is_no_choice(fields):
    assert "choices" not in updates(fields, {"fps": "fast"})["fps"]


def test_another_engine_brings_its_choices_with_the_value(fields):
    changes = updates(fields, {"engine": "own", "own.steps": 12, "seconds": 3, "fps": 23})
    assert changes["settings-own"]["visible"] is True
    assert changes["settings-procedural"]["visible"] is False
    assert changes["setting-steps"]["value"] == 12
    assert changes["detail"]["choices"][0] == ("Draft", "288"), "in the words of the page"
    assert (changes["seconds"]["value"], changes["seconds"]["maximum"]) == (3, 20.0)
    assert ("23 fps", 23) in changes["fps"]["choices"], "a rate that is no choice yet becomes one"


@pytest.mark.parametrize(("asked", "most"), [(9, 9), (3, 5), (21, 5)])
def test_a_video_that_goes_on_may_be_longer_than_what_its_engine_makes_at_once(fields, asked, most):
    other = replace(fields, engines=[replace(fields.engines[0], max_seconds=5.0)])
    values = {"engine": "procedural", "seconds": asked}
    assert updates(other, values | {"extend_id": "gen_a"})["seconds"]["maximum"] == most
    assert updates(other, values | {"extend_id": ""})["seconds"]["maximum"] == 5


def test_another_engine_brings_a_size_that_is_no_choice(fields):
    (own,) = (one for one in fields.engines if one.id == "own")
    sides = {name: replace(own.basics[name], default=side) for name, side in (("width", 832), ("height", 480))}
    other = replace(fields, engines=[replace(own, basics={**own.basics, **sides})])
    changes = updates(other, {"engine": "own"})
    assert [changes[name]["value"] for name in ("shape", "width", "height")] == ["custom", 832, 480]
    assert "value" not in updates(fields, {"engine": "own"})["shape"], "a shape that was chosen stays"


def test_a_prompt_that_is_filled_in_is_one_prompt(fields):
    found = dict(zip(fields.filled(), fields.updates({"prompt": "fog"}, str), strict=True))
    assert found[fields.fields["per_line"]] == gr.update(value=False)
    found = dict(zip(fields.filled(), fields.updates({"prompt": "fog", "per_line": True}, str), strict=True))
    assert found[fields.fields["per_line"]] == gr.update(value=True)


@pytest.mark.parametrize(
    ("text", "sent"),
    [("", {}), (" ", {}), ("0.5", {"weight": 0.5}), ("0,5", {"weight": 0.5}), ("much", {"weight": "much"})],
)
async def test_a_number_that_may_be_left_out_is_not_sent_as_0(text, sent):
    schema = {"properties": {"weight": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}}}
    with gr.Blocks(analytics_enabled=False):
        fields = build_form([engine_form(engine(settingsSchema=schema), Limits())], Limits())
    fields.fields |= {"prompt": gr.Textbox("a sea"), "per_line": gr.Checkbox(value=False)}
    assert isinstance(weight := fields.fields["procedural.weight"], gr.Textbox), "gr.Number shows 0 for none"
    assert not weight.value
    values = {name: component.value for name, component in fields.fields.items()} | {"procedural.weight": text}
    assert {key: fields.request([*values.values()]).settings.get(key) for key in sent} == sent
    assert ("weight" in fields.request([*values.values()]).settings) == bool(sent)
