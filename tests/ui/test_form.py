"""The form: what an engine's schema offers, and what is sent."""

import pytest
from pydantic import ValidationError

from tests.ui.conftest import engine
from videogen.ui.form import FormError, Limits, engine_form, read_seed, request, size

LIMITS = Limits()


def test_offers_follow_the_schema_and_the_limits():
    form = engine_form(engine(), LIMITS)
    assert form.details == ("288", "480", "720", "1080")
    assert (form.min_seconds, form.max_seconds, form.seconds) == (0.5, 20.0, 4)
    assert max(form.fps_choices) == 30
    assert form.fps == 24


def test_a_smaller_limit_takes_away_sizes():
    assert engine_form(engine(), Limits(max_pixels=1280 * 720, max_seconds=6)).details == ("288", "480", "720")


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
        ({0: "  "}, "Prompt: expected .* got nothing"),
        ({0: None}, "Prompt: expected"),
        ({2: "4:3"}, "Size: expected .* '4:3 288'"),
        ({3: None}, "Size: expected"),
        ({6: "12x"}, "Seed: expected .* got '12x'"),
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
