import math

import pytest
from pydantic import Field, ValidationError

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Recipe, RenderRequest
from videogen.engines.function import engine
from videogen.engines.settings import MAX_SEED, VideoSettings


class Sparkly(VideoSettings):
    sparkle_count: int = Field(default=3, ge=0)


@engine("sparkles", version="7", settings=Sparkly)
def sparkles(recipe):
    """Sparkles."""
    yield


def recipe(**settings):
    return sparkles.normalise(RenderRequest(prompt="p", negative_prompt="n", settings=settings))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", True), ("width", "512"), ("width", 512.0), ("width", 63), ("width", 3841), ("width", None),
        ("height", 62), ("height", 2161), ("height", [288]),
        ("durationSeconds", 0.49), ("durationSeconds", 60.1), ("durationSeconds", math.nan),
        ("durationSeconds", math.inf), ("durationSeconds", "4"), ("durationSeconds", True),
        ("fps", 0), ("fps", 61), ("fps", 23.976), ("fps", False),
        ("seed", -1), ("seed", MAX_SEED + 1), ("seed", "7"), ("seed", 1.0), ("seed", True),
        ("steps", 20),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_name(field, value):
    with pytest.raises(ValidationError) as caught:
        recipe(**{field: value})
    assert caught.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    ("given", "expected"),
    [((64, 64), (64, 64)), ((65, 67), (64, 66)), ((3840, 2160), (3840, 2160)), ((513, 288), (512, 288))],
)
def test_sizes_become_even(given, expected):
    made = recipe(width=given[0], height=given[1])
    assert (made.width, made.height) == expected


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"), [(4, 24, 96), (0.5, 1, 1), (2.5, 8, 20), (1.01, 24, 24), (60, 60, 3600)]
)
def test_a_length_becomes_whole_frames(seconds, fps, frames):
    assert recipe(durationSeconds=seconds, fps=fps).num_frames == frames


def test_a_seed_is_kept_or_drawn():
    assert recipe(seed=MAX_SEED).seed == MAX_SEED
    drawn = {recipe().seed for _ in range(20)} | {recipe(seed=None).seed}
    assert len(drawn) == 21
    assert all(0 <= seed <= MAX_SEED for seed in drawn)


def test_a_recipe_holds_everything_and_the_engine_version():
    made = recipe(sparkleCount=5, seed=1)
    assert made.settings == {"sparkle_count": 5}
    assert (made.engine, made.engine_version, made.prompt, made.negative_prompt) == ("sparkles", "7", "p", "n")
    assert made.digest == recipe(sparkleCount=5, seed=1).digest != recipe(sparkleCount=6, seed=1).digest


def test_the_digest_of_a_recipe_without_a_last_frame_is_that_of_the_first_release():
    size = {"width": 64, "height": 64, "fps": 8, "num_frames": 8}
    made = Recipe(engine="e", engine_version="1", prompt="p", seed=7, **size)
    image = made.model_copy(update={"input_digest": "ab" * 32})
    both = image.model_copy(update={"last_digest": "cd" * 32})
    assert made.digest == "8b5e1a3c3776dc1339996c3f7a94a568b8dadfbb4ce1c28dd7f361bc02fb7520"
    assert image.digest == "f346ada9c7d7d9df62e64cec77179329b3d1f5b8e247bcc7f4e9afbcb49df141"
    assert both.digest not in (made.digest, image.digest)
    assert both.model_copy(update={"last_path": "/here.png"}).digest == both.digest


def test_an_image_is_refused():
    with pytest.raises(InvalidRequestError, match="type must be video"):
        sparkles.normalise(RenderRequest(type="image", prompt="p"))


def test_the_schema_is_enough_for_a_form():
    fields = Sparkly.model_json_schema()["properties"]
    assert list(fields) == ["width", "height", "durationSeconds", "fps", "seed", "sparkleCount"]
    for name in ("width", "height", "durationSeconds", "fps"):
        assert fields[name].keys() >= {"title", "description", "default", "minimum", "maximum", "group", "unit"}
    assert fields["seed"]["group"] == "Variation"
