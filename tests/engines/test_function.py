import json

import numpy as np
import pytest
from PIL import Image

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Engine, RenderFailed, RenderRequest
from videogen.engines.function import engine
from videogen.media.probe import probe
from videogen.schemas.engines import Capabilities

SETTINGS = {"width": 64, "height": 64, "fps": 4, "durationSeconds": 1, "seed": 3}


def test_ten_lines_are_an_engine(recorder):
    @engine("plasma", title="Plasma")
    def plasma(recipe):
        """Waves of colour."""
        for index in range(recipe.num_frames):
            yield np.full((recipe.height, recipe.width, 3), index * 40, np.uint8)

    assert isinstance(plasma, Engine)
    assert (plasma.id, plasma.version, plasma.title, plasma.description) == (
        "plasma",
        "1",
        "Plasma",
        "Waves of colour.",
    )
    assert plasma.probe() == Capabilities()
    ctx = recorder()
    recipe = plasma.normalise(RenderRequest(prompt="a wave", settings=SETTINGS))
    artifact = plasma.render(recipe, ctx)
    assert probe(artifact.path).num_frames == artifact.num_frames == 4
    assert artifact.duration_seconds == 1
    metadata = probe(artifact.path).metadata
    assert metadata["title"] == "a wave"
    comment = json.loads(metadata["comment"])
    assert comment == json.loads(recipe.model_dump_json(by_alias=True, exclude={"input_path"}))
    assert (comment["seed"], comment["numFrames"], comment["engineVersion"]) == (3, 4, "1")


def test_a_function_may_take_the_context(recorder):
    seen = []

    @engine("nosy", capabilities=Capabilities(negative_prompt=True))
    def nosy(recipe, ctx):
        seen.append(ctx)
        return [np.zeros((64, 64, 3), np.uint8)] * recipe.num_frames

    ctx = recorder()
    nosy.render(nosy.normalise(RenderRequest(prompt="p", settings=SETTINGS)), ctx)
    assert seen == [ctx]
    assert nosy.title == "Nosy"
    assert nosy.probe().negative_prompt


@pytest.mark.parametrize("function", [lambda: (), lambda a, b, c: (), lambda *, recipe: ()])
def test_a_function_with_other_parameters_is_refused_when_it_is_decorated(function):
    with pytest.raises(TypeError, match=r"expected a function of \(recipe\) or \(recipe, ctx\), got \("):
        engine("odd")(function)


def test_the_function_stays_callable():
    @engine("plain")
    def plain(recipe):
        return [recipe]

    assert plain(7) == [7]


def test_a_still_is_the_first_frame(recorder):
    @engine("waves", capabilities=Capabilities(types=("video", "image")))
    def waves(recipe):
        for index in range(9):
            yield np.full((recipe.height, recipe.width, 3), 40 + index / recipe.fps, np.uint8)

    recipe = waves.normalise(RenderRequest(type="image", prompt="a wave", settings=SETTINGS))
    assert (recipe.num_frames, recipe.fps, recipe.duration_seconds) == (1, 24, 0)
    ctx = recorder()
    artifact = waves.render(recipe, ctx)
    assert (artifact.content_type, artifact.fps, artifact.num_frames) == ("image/png", 0, 1)
    with Image.open(artifact.path) as image:
        assert image.getpixel((5, 5)) == (40, 40, 40)
    assert [report[:3] for report in ctx.reports] == [(0, 1, "preparing"), (1, 1, "finishing")]
    assert len(ctx.previews) == 1


def test_a_still_without_a_frame_or_of_another_shape_is_refused(recorder):
    @engine("odd", capabilities=Capabilities(types=("image",)))
    def odd(recipe):
        yield from [] if recipe.seed == 3 else [np.zeros((8, 8, 3), np.uint8)]

    for seed, code in ((3, "wrong_frame_count"), (4, "wrong_frame")):
        recipe = odd.normalise(RenderRequest(type="image", prompt="p", settings=SETTINGS | {"seed": seed}))
        with pytest.raises(RenderFailed) as caught:
            odd.render(recipe, recorder())
        assert caught.value.code == code
    with pytest.raises(InvalidRequestError, match="type must be image, which is what engine odd makes"):
        odd.normalise(RenderRequest(prompt="p"))
