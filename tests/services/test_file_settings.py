"""The recipe in a file comes from anybody: what this app does not offer is replaced or left out, and named."""

import json

import pytest
from pydantic import BaseModel, Field

from videogen.core.config import AppConfig
from videogen.engines.base import RenderRequest
from videogen.engines.function import engine
from videogen.engines.settings import VideoSettings
from videogen.schemas.engines import Capabilities
from videogen.services.file_settings import RecipeFitting, parse_recipe

CONFIG = AppConfig(max_prompt_chars=20, max_pixels=1_000_000, max_seconds=8.0, engines=("plain", "rich", "off"))


@engine("plain")
def plain(recipe):
    """Nothing but frames."""


class RichSettings(VideoSettings):
    grain_size: int = Field(default=2, ge=1, le=8, multiple_of=1)
    tint: str = Field(default="red", pattern="^(red|blue)$")


@engine(
    "rich",
    version="3",
    settings=RichSettings,
    capabilities=Capabilities(types=("video", "image"), negative_prompt=True, image_input=True, last_frame=True),
)
def rich(recipe):
    """Has settings of its own."""


@engine("off", capabilities=Capabilities(available=False, reason="its model is not here"))
def off(recipe):
    """Is not available."""


class BareSettings(BaseModel):
    steps: int = 4


ENGINES = {made.id: made for made in (plain, rich, off)}


def recipe_of(engine="rich", settings=None, **changes):
    """A recipe as it is embedded in a file."""
    made = ENGINES["rich"].normalise(RenderRequest(prompt="sea", settings={"seed": 7} | (settings or {})))
    return (
        made.model_dump(mode="json", by_alias=True, exclude={"input_path", "last_path"}) | {"engine": engine} | changes
    )


def fitted(recipe, image=None, last=None):
    """The request of a recipe, and what was changed: `{field: used}`."""
    fitting = RecipeFitting(parse_recipe(json.dumps(recipe)), ENGINES, CONFIG)
    request = fitting.request(image, last)
    return request, {warning.field: warning.used for warning in fitting.warnings}


def test_the_request_makes_the_same_recipe_again():
    made = recipe_of(
        settings={"width": 640, "height": 360, "durationSeconds": 2.5, "fps": 12, "grainSize": 5, "tint": "blue"},
        negativePrompt="fog",
    )
    request, changed = fitted(made)
    assert changed == {}
    again = rich.normalise(
        RenderRequest(**request.model_dump(include={"type", "prompt", "negative_prompt", "settings"}))
    )
    assert again.model_dump(mode="json", by_alias=True, exclude={"input_path", "last_path"}) == made


def test_an_image_has_no_length_and_no_frame_rate():
    request, changed = fitted(recipe_of(type="image", numFrames=1))
    assert (request.type, changed) == ("image", {})
    assert {"durationSeconds", "fps"}.isdisjoint(request.settings)


def test_what_an_engine_has_derived_is_left_out_silently():
    request, changed = fitted(recipe_of() | {"settings": {"grain_size": 3, "scene": {"shots": []}}})
    assert (request.settings["grainSize"], "scene" in request.settings, changed) == (3, False, {})


@pytest.mark.parametrize(
    ("change", "field", "used"),
    [
        ({"width": 10_000, "height": 64}, "settings.width", 3840),
        ({"height": -5}, "settings.height", 64),
        ({"fps": 0}, "settings.fps", 1),
        ({"numFrames": 100_000}, "settings.durationSeconds", 8.0),
        ({"seed": 2**60}, "settings.seed", None),
        ({"settings": {"grain_size": 99}}, "settings.grainSize", 8),
        ({"settings": {"tint": "<b>"}}, "settings.tint", None),
        ({"settings": {"grain_size": "many"}}, "settings.grainSize", None),
    ],
)
def test_a_value_out_of_range_becomes_the_nearest_or_is_left_out(change, field, used):
    request, changed = fitted(recipe_of() | change)
    assert changed[field] == used
    name = field.removeprefix("settings.")
    assert request.settings.get(name) == used


def test_a_size_above_the_limit_of_the_app_keeps_its_shape():
    request, changed = fitted(recipe_of(width=1920, height=1080))
    width, height = request.settings["width"], request.settings["height"]
    assert width * height <= 1_000_000
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert changed == {"settings.width": f"{width} x {height}"}


@pytest.mark.parametrize("name", ["unknown", "off", ""])
def test_an_engine_that_is_not_here_is_replaced_by_the_default_one_and_its_own_settings_go(name):
    request, changed = fitted(recipe_of(engine=name, settings={"tint": "blue"}))
    assert (request.engine, changed) == ("plain", {"engine": "plain"})
    assert "tint" not in request.settings


def test_what_the_engine_cannot_do_is_left_out_and_named():
    request, changed = fitted(recipe_of("plain", type="image", negativePrompt="fog"), image="fil_a")
    assert (request.type, request.negative_prompt, request.input_file_id) == ("video", "", None)
    assert changed == {"type": "video", "negativePrompt": ""}


def test_the_image_it_started_from_is_in_the_request_where_it_is_known():
    request, changed = fitted(recipe_of(inputDigest="ab" * 32), image="fil_a")
    assert (request.input_file_id, changed) == ("fil_a", {})


def test_the_image_it_ended_with_is_in_the_request_where_both_are_known():
    digests = {"inputDigest": "ab" * 32, "lastDigest": "cd" * 32}
    for images, expected in ((("fil_a", "fil_b"), ("fil_a", "fil_b")), ((None, "fil_b"), (None, None))):
        request, changed = fitted(recipe_of(**digests), *images)
        assert (request.input_file_id, request.last_frame_file_id, changed) == (*expected, {})
    request, _ = fitted(recipe_of("plain", **digests), "fil_a", "fil_b")
    assert request.last_frame_file_id is None, "it takes no image"


def test_a_prompt_that_is_too_long_is_kept_whole_and_named():
    request, changed = fitted(recipe_of(prompt="sea " * 9))
    assert (request.prompt, changed) == ("sea " * 9, {"prompt": None})


def test_an_engine_without_sizes_gets_none(monkeypatch):
    made = recipe_of() | {"settings": {"steps": 9}}
    monkeypatch.setattr(rich, "settings", BareSettings)
    monkeypatch.setattr(rich, "normalise", lambda request: plain.normalise(RenderRequest(prompt="sea")), raising=False)
    request, _ = fitted(made)
    assert request.settings == {"steps": 9}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{not json",
        '{"engine": "plain", "prompt": "sea"}',
        '{"engine": "plain", "prompt": "sea", "numFrames": "many"}',
        '{"engine": "plain", "prompt": "", "numFrames": 1}',
        '{"engine": "plain", "prompt": "a\\u0000b", "numFrames": 1}',
        '{"engine": "plain", "prompt": "sea", "numFrames": 1e300}',
        '{"engine": "plain", "prompt": "sea", "numFrames": 1, "settings": {"x": ' + "[" * 40 + "]" * 40 + "}}",
        '{"a": ' * 5000,
    ],
)
def test_json_that_is_no_recipe_gives_no_settings(text):
    assert parse_recipe(text) is None


def test_the_recipe_of_another_version_is_read_too():
    request, changed = fitted({"engine": "plain", "prompt": "sea", "numFrames": 48, "fps": 24, "later": [1]})
    assert (request.prompt, request.settings, changed) == ("sea", {"durationSeconds": 2.0, "fps": 24}, {})
