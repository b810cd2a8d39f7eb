import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from tests.support.pictures import encoded, quarters
from videogen.engines.base import Engine, Recipe, RenderCancelled, RenderFailed, RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine, pinned_scene
from videogen.engines.procedural.language import parse_prompt
from videogen.media import probe

TINY = {"width": 96, "height": 64, "fps": 4, "durationSeconds": 2.25, "seed": 11}


@pytest.fixture
def recipe():
    request = RenderRequest(prompt="calm ocean at sunset, " + "x" * 100, negative_prompt="clouds", settings=TINY)
    return ProceduralEngine().normalise(request)


def digest(artifact):
    return hashlib.sha256(artifact.path.read_bytes()).hexdigest()


def test_it_says_what_it_is_and_what_it_can():
    engine = ProceduralEngine()
    assert isinstance(engine, Engine)
    assert "not a model" in engine.description
    found = engine.probe()
    assert (found.available, found.negative_prompt, found.resume, found.exact_progress) == (True, True, True, True)
    assert (found.types, found.image_input) == (("video", "image"), True)


def test_the_first_report_says_what_was_understood(recipe, recorder):
    ctx = recorder()
    artifact = ProceduralEngine().render(recipe, ctx)
    step, total, stage, message = ctx.reports[0]
    assert (step, total, stage) == (0, 9, "preparing")
    assert "ocean" in message.lower()
    assert probe(artifact.path).metadata["title"] == recipe.prompt[:80]


def test_the_same_recipe_gives_the_same_bytes_though_it_was_stopped(recipe, recorder, tmp_path):
    engine = ProceduralEngine()
    unbroken = digest(engine.render(recipe, recorder(tmp_path / "unbroken")))
    ctx = recorder(cancel_at=6)
    with pytest.raises(RenderCancelled):
        engine.render(recipe, ctx)
    again = recorder(checkpoint=ctx.saved[-1])
    assert digest(engine.render(recipe, again)) == unbroken
    assert again.steps == [5, 6, 7, 8, 9]


def test_another_seed_gives_another_video(recipe, recorder, tmp_path):
    engine = ProceduralEngine()
    other = recipe.model_copy(update={"seed": 12})
    assert digest(engine.render(recipe, recorder(tmp_path / "a"))) != digest(
        engine.render(other, recorder(tmp_path / "b"))
    )


def test_a_recipe_pins_its_scene_and_tells_what_was_understood():
    recipe = ProceduralEngine().normalise(
        RenderRequest(prompt="two red boats and a kraken", negative_prompt="clouds", settings=TINY)
    )
    told = recipe.understanding
    assert [(found.phrase, found.became) for found in told.understood] == [
        ("two red boats", "boat, 2, red"),
        ("clouds", "no clouds"),
    ]
    assert (told.ignored, told.abstract) == (("kraken",), False)
    assert pinned_scene(recipe) == replace(parse_prompt(recipe.prompt, "clouds"), understood=())
    assert pinned_scene(Recipe.model_validate_json(recipe.model_dump_json())) == pinned_scene(recipe)


def test_a_pinned_scene_is_what_is_rendered_whatever_the_words_say_now(recipe):
    pinned = recipe.model_copy(update={"prompt": "a city"})
    assert pinned_scene(pinned) == pinned_scene(recipe)
    bare = pinned.model_copy(update={"settings": {}})
    assert [subject.kind for subject in pinned_scene(bare).shots[0].subjects] == ["city"]


def test_what_is_told_does_not_count_in_the_recipes_digest(recipe):
    assert recipe.model_copy(update={"understanding": None}).digest == recipe.digest
    assert recipe.model_copy(update={"settings": {}}).digest != recipe.digest


def test_reading_a_prompt_needs_neither_numpy_nor_av():
    code = (
        "import sys; from videogen.engines.base import RenderRequest;"
        "from videogen.engines.procedural.engine import ProceduralEngine as E;"
        "E().normalise(RenderRequest(prompt='a red moon over the sea'));"
        "sys.exit('numpy' in sys.modules or 'av' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def photo(tmp_path):
    """A recipe that starts from a picture."""
    path = tmp_path / "input.png"
    path.write_bytes(encoded(quarters(120, 90)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    request = RenderRequest(prompt="slow orbit, rain at dusk", settings=TINY, input_digest=digest)
    return ProceduralEngine().normalise(request).model_copy(update={"input_path": path})


def test_a_picture_becomes_the_same_video_though_its_render_was_stopped(photo, recorder, tmp_path):
    engine = ProceduralEngine()
    ctx = recorder(tmp_path / "unbroken")
    unbroken = digest(engine.render(photo, ctx))
    assert "Your picture: very slow orbit, at dusk, rain." in ctx.reports[0][3]
    ctx = recorder(cancel_at=6)
    with pytest.raises(RenderCancelled):
        engine.render(photo, ctx)
    assert digest(engine.render(photo, recorder(checkpoint=ctx.saved[-1]))) == unbroken


@pytest.mark.parametrize("damage", [None, b"", b"\x89PNG\r\n\x1a\n broken"])
def test_a_picture_that_cannot_be_read_is_a_failure_that_says_what_to_do(photo, recorder, damage):
    if damage is None:
        photo.input_path.unlink()
    else:
        photo.input_path.write_bytes(damage)
    with pytest.raises(RenderFailed, match="Upload it again") as caught:
        ProceduralEngine().render(photo, recorder())
    assert caught.value.code == ("input_missing" if damage is None else "input_changed")


@pytest.mark.parametrize("start", ["prompt", "picture"])
def test_a_still_is_one_picture_with_its_recipe_and_the_same_each_time(photo, recipe, recorder, tmp_path, start):
    base = photo if start == "picture" else recipe
    still = base.model_copy(update={"type": "image", "num_frames": 1})
    engine = ProceduralEngine()
    artifact = engine.render(still, recorder())
    assert (artifact.content_type, artifact.fps, artifact.duration_seconds) == ("image/png", 0, 0)
    with Image.open(artifact.path) as image:
        image.load()
        assert image.size == (96, 64)
        told = json.loads(image.text["Comment"])
    assert (told["type"], told["seed"], told["prompt"]) == ("image", 11, still.prompt)
    assert "inputPath" not in told
    assert digest(engine.render(still, recorder(tmp_path / "again"))) == digest(artifact)
