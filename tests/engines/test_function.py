import json

import numpy as np
import pytest

from videogen.engines.base import Engine, RenderRequest
from videogen.engines.function import engine
from videogen.media import probe
from videogen.schemas import Capabilities

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
    told = json.loads(metadata["comment"])
    assert told == json.loads(recipe.model_dump_json(by_alias=True, exclude={"input_path"}))
    assert (told["seed"], told["numFrames"], told["engineVersion"]) == (3, 4, "1")


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
def test_a_function_of_other_arguments_is_refused_at_once(function):
    with pytest.raises(TypeError, match=r"expected a function of \(recipe\) or \(recipe, ctx\), got \("):
        engine("odd")(function)


def test_the_function_stays_callable():
    @engine("plain")
    def plain(recipe):
        return [recipe]

    assert plain(7) == [7]
