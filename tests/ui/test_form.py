"""The form: what an engine's schema offers, and what is sent."""

import pytest
from pydantic import ValidationError

from tests.ui.conftest import engine, generation
from videogen.schemas.generations import GenerationCreate
from videogen.ui.form import FormError, Limits, engine_form, read_seed, request, size, values_of
from videogen.ui.repeat import again

LIMITS = Limits()


def test_offers_follow_the_schema_and_the_limits():
    form = engine_form(engine(), LIMITS)
    assert form.details == ("288", "480", "720", "1080")
    assert (form.min_seconds, form.max_seconds, form.seconds) == (0.5, 20.0, 4)
    assert max(form.fps_choices) == 30
    assert form.fps == 24


def test_a_smaller_limit_takes_away_sizes():
    assert engine_form(engine(), Limits(max_pixels=1280 * 720, max_seconds=6)).details == ("288", "480", "720")


def test_the_form_begins_with_the_engine_s_own_size():
    def start(width, height, **limits):
        properties = {"width": {"type": "integer", "default": width}, "height": {"type": "integer", "default": height}}
        made = engine_form(engine(settingsSchema={"properties": properties}), Limits(**limits))
        return made.start, made.place(made.start)

    assert start(832, 480) == ((832, 480), ("custom", "288"))
    assert start(854, 480) == ((854, 480), ("16:9", "480"))
    assert start(1024, 1024, max_pixels=512 * 512) == ((512, 288), ("16:9", "288")), "more than the app allows"


def test_an_engine_that_says_nothing_gets_common_choices():
    form = engine_form(engine(settingsSchema={}, capabilities={}), LIMITS)
    assert form.details
    assert form.fps in form.fps_choices
    assert not form.negative


def test_an_engine_with_one_frame_rate():
    schema = {"properties": {"fps": {"enum": [16], "default": 16}, "durationSeconds": {"maximum": 0.5}}}
    form = engine_form(engine(settingsSchema=schema), LIMITS)
    assert (form.fps_choices, form.fps, form.max_seconds, form.min_seconds) == ((16,), 16, 0.5, 0.5)


@pytest.mark.parametrize(
    ("shape", "short", "multiple", "expected"),
    [
        ("16:9", 288, 2, (512, 288)),
        ("16:9", 480, 2, (854, 480)),
        ("16:9", 720, 2, (1280, 720)),
        ("9:16", 720, 2, (720, 1280)),
        ("1:1", 480, 2, (480, 480)),
        ("16:9", 480, 16, (848, 480)),
        ("16:9", 720, 32, (1280, 704)),
    ],
)
def test_sizes(shape, short, multiple, expected):
    assert size(shape, short, multiple) == expected


def test_request():
    asked = request(["  Sea ", "clouds", "16:9", "288", 4, 24, "7", "procedural"], [engine_form(engine(), LIMITS)])
    assert (asked.prompt, asked.negative_prompt, asked.engine) == ("Sea", "clouds", "procedural")
    assert asked.settings == {"width": 512, "height": 288, "durationSeconds": 4, "fps": 24, "seed": 7}


def test_a_form_knows_what_its_engine_makes_and_takes():
    plain, able = (
        engine_form(engine(capabilities=found), LIMITS)
        for found in ({}, {"types": ["video", "image"], "imageInput": True})
    )
    assert (plain.types, plain.image) == (("video",), False)
    assert (able.types, able.image) == (("video", "image"), True)


FILLED = ["Sea", "", "16:9", "288", 4, 24, "7", "procedural"]


def test_a_still_is_asked_for_without_a_length_and_a_frame_rate():
    asked = request(FILLED, [engine_form(engine(), LIMITS)], {"type": "image", "variations": 3, "inputFileId": "fil"})
    assert (asked.type, asked.variations, asked.input_file_id) == ("image", 3, "fil")
    assert asked.settings == {"width": 512, "height": 288, "seed": 7}


@pytest.mark.parametrize("wishes", [None, {}, {"type": None, "variations": None, "inputFileId": ""}])
def test_without_wishes_it_is_one_video_from_nothing(wishes):
    asked = request(FILLED, [engine_form(engine(), LIMITS)], wishes)
    assert (asked.type, asked.variations, asked.input_file_id) == ("video", 1, None)


@pytest.mark.parametrize(
    "wishes", [{"type": "sound"}, {"variations": 9}, {"variations": "many"}, {"variations": -1}, {"inputFileId": 7}]
)
def test_wishes_that_nobody_can_have_are_refused(wishes):
    with pytest.raises(ValidationError):
        request(FILLED, [engine_form(engine(), LIMITS)], wishes)


def test_no_seed_and_no_negative_prompt_where_there_is_none():
    plain = engine_form(engine(capabilities={}), LIMITS)
    asked = request(["Sea", "clouds", "16:9", "288", 4, 24, "", "procedural"], [plain])
    assert "seed" not in asked.settings
    assert asked.negative_prompt == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({0: "  "}, "Describe what the video should show"),
        ({0: None}, "Describe what the video should show"),
        ({0: "x" * 2001}, "has 2,001 characters; at most 2,000 are allowed"),
        ({1: "x" * 2001}, "negative prompt has 2,001 characters"),
        ({2: "4:3"}, "the size was '4:3 288'"),
        ({3: None}, "the size was"),
        ({3: "9" * 400}, "the size was"),
        ({6: "12x"}, "whole number"),
    ],
)
def test_what_cannot_be_sent_is_said(changed, message):
    values = ["Sea", "", "16:9", "288", 4, 24, "7", "procedural"]
    for index, value in changed.items():
        values[index] = value
    with pytest.raises(FormError, match=message):
        request(values, [engine_form(engine(), LIMITS)])


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "٣", "9" * 19, "0x1"])
def test_what_is_not_a_seed(text):
    with pytest.raises(FormError):
        read_seed(text)


@pytest.mark.parametrize(("text", "seed"), [("", None), (None, None), (" 42 ", 42), ("9" * 18, 10**18 - 1)])
def test_seeds(text, seed):
    assert read_seed(text) == seed


# A size that is typed, and the engine's own settings

CUSTOM = ["Sea", "", "custom", "288", 4, 24, "7", "procedural"]


def test_a_typed_size_is_sent_as_it_is():
    asked = request(CUSTOM, [engine_form(engine(), LIMITS)], {"size": [640, 361]})
    assert (asked.settings["width"], asked.settings["height"]) == (640, 361)


@pytest.mark.parametrize("typed", [None, [], [640], [640, None], [640, "360"], [640.0, 360], [True, 360], "640x360"])
def test_a_size_that_is_none_is_refused(typed):
    with pytest.raises(FormError, match="Width and height must be whole numbers of pixels"):
        request(CUSTOM, [engine_form(engine(), LIMITS)], {"size": typed})


def test_the_sizes_of_shapes_and_details_are_told_to_the_page_as_they_are_sent():
    form = engine_form(engine(), LIMITS)
    for shape, details in form.sizes.items():
        for short, (width, height) in details.items():
            asked = request(["Sea", "", shape, short, 4, 24, "", "procedural"], [form])
            assert (asked.settings["width"], asked.settings["height"]) == (width, height)


def test_the_engines_own_settings_go_along_and_cannot_stand_for_those_of_the_form():
    wishes = {"settings": {"steps": 12, "style": "noir", "width": 1, "seed": 2}}
    asked = request(FILLED, [engine_form(engine(), LIMITS)], wishes)
    assert asked.settings["steps"] == 12
    assert (asked.settings["style"], asked.settings["width"], asked.settings["seed"]) == ("noir", 512, 7)


@pytest.mark.parametrize("told", [None, "steps", ["steps"], 7])
def test_own_settings_of_another_shape_are_none(told):
    assert "steps" not in request(FILLED, [engine_form(engine(), LIMITS)], {"settings": told}).settings


def test_what_the_engine_does_not_have_is_not_sent():
    schema = {"properties": {"width": {}, "height": {}, "seed": {}}}
    asked = request(FILLED, [engine_form(engine(settingsSchema=schema), LIMITS)])
    assert asked.settings.keys() == {"width", "height", "seed"}


def test_a_recipe_again_draws_its_seeds_anew():
    settings = {"width": 322, "height": 240, "durationSeconds": 2.0833333, "fps": 24, "steps": 7, "seed": 5}
    images = {"inputFileId": "fil_a", "lastFrameFileId": "fil_b"}
    old = generation(settings=settings, negativePrompt="clouds", type="image", **images)
    asked = again(old, 4)
    assert asked.settings == {name: value for name, value in settings.items() if name != "seed"}
    assert (asked.type, asked.prompt, asked.negative_prompt) == ("image", old.prompt, "clouds")
    assert (asked.engine, asked.input_file_id, asked.variations) == (old.engine, "fil_a", 4)
    assert asked.last_frame_file_id == "fil_b"


@pytest.mark.parametrize("told", [None, 0, 9, "4", 2.0, True])
def test_a_recipe_again_is_made_once_where_nobody_says_how_often(told):
    assert again(generation(), told).variations == 1


@pytest.mark.parametrize("size", [(512, 288), (288, 288), (640, 300)])
def test_the_form_filled_with_a_request_asks_for_the_same(size):
    settings = {"width": size[0], "height": size[1], "durationSeconds": 2.5, "fps": 12, "seed": 7}
    wanted = GenerationCreate(
        prompt="sea",
        negative_prompt="clouds",
        engine="procedural",
        settings=settings,
        input_file_id="fil_a",
        last_frame_file_id="fil_b",
    )
    engines = [engine_form(engine(), LIMITS)]
    values = values_of(wanted, engines[0])
    basics = [values[name] for name in ("prompt", "negative", "shape", "detail", "seconds", "fps", "seed", "engine")]
    images = {"inputFileId": values["image_id"], "lastFrameFileId": values["last_id"]}
    assert request(basics, engines, {"size": (values["width"], values["height"]), **images}) == wanted
