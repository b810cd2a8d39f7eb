import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from tests.support.pictures import encoded, quarters
from videogen.engines.base import Engine, Recipe, RenderCancelled, RenderFailed, RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine, pinned_scene
from videogen.engines.procedural.language import parse_prompt
from videogen.media.probe import probe

TINY = {"width": 96, "height": 64, "fps": 4, "durationSeconds": 2.25, "seed": 11}


@pytest.fixture
def recipe():
    request = RenderRequest(prompt="calm ocean at sunset, " + "x" * 100, negative_prompt="clouds", settings=TINY)
    return ProceduralEngine().normalise(request)


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(artifact):
    return digest_of(artifact.path)


def test_the_engine_describes_its_capabilities():
    engine = ProceduralEngine()
    assert isinstance(engine, Engine)
    assert "not a model" in engine.description
    capabilities = engine.probe()
    assert (capabilities.available, capabilities.negative_prompt, capabilities.resume, capabilities.exact_progress) == (
        True,
        True,
        True,
        True,
    )
    assert (capabilities.types, capabilities.image_input) == (("video", "image"), True)
    assert (capabilities.last_frame, capabilities.last_frame_alone) == (True, False)


def test_the_first_report_contains_what_was_understood(recipe, recorder):
    ctx = recorder()
    artifact = ProceduralEngine().render(recipe, ctx)
    step, total, stage, message = ctx.reports[0]
    assert (step, total, stage) == (0, 9, "preparing")
    assert "ocean" in message.lower()
    assert probe(artifact.path).metadata["title"] == recipe.prompt[:80]


def test_a_resumed_render_gives_the_same_bytes(recipe, recorder, tmp_path):
    engine = ProceduralEngine()
    uninterrupted = digest(engine.render(recipe, recorder(tmp_path / "uninterrupted")))
    ctx = recorder(cancel_at=6)
    with pytest.raises(RenderCancelled):
        engine.render(recipe, ctx)
    again = recorder(checkpoint=ctx.saved[-1])
    assert digest(engine.render(recipe, again)) == uninterrupted
    assert again.steps == [5, 6, 7, 8, 9]


def test_another_seed_gives_another_video(recipe, recorder, tmp_path):
    engine = ProceduralEngine()
    other = recipe.model_copy(update={"seed": 12})
    assert digest(engine.render(recipe, recorder(tmp_path / "a"))) != digest(
        engine.render(other, recorder(tmp_path / "b"))
    )


def test_a_recipe_contains_the_scene_and_what_was_understood():
    recipe = ProceduralEngine().normalise(
        RenderRequest(prompt="two red boats and a kraken", negative_prompt="clouds", settings=TINY)
    )
    understanding = recipe.understanding
    assert [(phrase.phrase, phrase.became) for phrase in understanding.understood] == [
        ("two red boats", "boat, 2, red"),
        ("clouds", "no clouds"),
    ]
    assert (understanding.ignored, understanding.abstract) == (("kraken",), False)
    assert pinned_scene(recipe) == replace(parse_prompt(recipe.prompt, "clouds"), understood=(), not_drawn=())
    assert pinned_scene(Recipe.model_validate_json(recipe.model_dump_json())) == pinned_scene(recipe)


def test_the_scene_in_a_recipe_has_priority_over_its_prompt(recipe):
    pinned = recipe.model_copy(update={"prompt": "a city"})
    assert pinned_scene(pinned) == pinned_scene(recipe)
    bare = pinned.model_copy(update={"settings": {}})
    assert [subject.kind for subject in pinned_scene(bare).shots[0].subjects] == ["city"]


def test_the_digest_depends_on_the_scene_but_not_on_the_understanding(recipe):
    assert recipe.model_copy(update={"understanding": None}).digest == recipe.digest
    assert recipe.model_copy(update={"settings": {}}).digest != recipe.digest


def test_parsing_a_prompt_imports_neither_numpy_nor_av():
    code = (
        "import sys; from videogen.engines.base import RenderRequest;"
        "from videogen.engines.procedural.engine import ProceduralEngine as E;"
        "E().normalise(RenderRequest(prompt='a red moon over the sea'));"
        "sys.exit('numpy' in sys.modules or 'av' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def photo(tmp_path):
    """A recipe with an input picture."""
    path = tmp_path / "input.png"
    path.write_bytes(encoded(quarters(120, 90)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    request = RenderRequest(prompt="slow orbit, rain at dusk", settings=TINY, input_digest=digest)
    return ProceduralEngine().normalise(request).model_copy(update={"input_path": path})


def test_a_resumed_render_of_a_picture_gives_the_same_bytes(photo, recorder, tmp_path):
    engine = ProceduralEngine()
    ctx = recorder(tmp_path / "uninterrupted")
    uninterrupted = digest(engine.render(photo, ctx))
    assert "Your picture: very slow orbit, at dusk, rain." in ctx.reports[0][3]
    ctx = recorder(cancel_at=6)
    with pytest.raises(RenderCancelled):
        engine.render(photo, ctx)
    assert digest(engine.render(photo, recorder(checkpoint=ctx.saved[-1]))) == uninterrupted


@pytest.fixture
def pair(photo, tmp_path):
    """A recipe for a move from the quarters to a picture of another shape."""
    path = tmp_path / "last.png"
    path.write_bytes(encoded(Image.radial_gradient("L").convert("RGB")))
    request = RenderRequest(
        prompt="slow pan right, a cat", settings=TINY, input_digest=photo.input_digest, last_digest=digest_of(path)
    )
    return ProceduralEngine().normalise(request).model_copy(update={"input_path": photo.input_path, "last_path": path})


def test_a_video_begins_with_the_first_picture_and_ends_with_the_last(pair, recorder):
    ctx = recorder()
    with av.open(ProceduralEngine().render(pair, ctx).path) as video:
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in video.decode(video=0)]
    assert ctx.reports[0][3].startswith(
        "Your pictures: very slow pan right, from the first to the last, with a dissolve."
    )
    assert len(frames) == pair.num_frames == 9
    for frame, path in ((frames[0], pair.input_path), (frames[-1], pair.last_path)):
        with Image.open(path) as picture:
            height = picture.width * 64 / 96
            top = (picture.height - height) * 0.42
            shown = picture.resize((96, 64), Image.Resampling.LANCZOS, box=(0, top, picture.width, top + height))
        difference = np.abs(frame - np.asarray(shown)).mean()
        assert difference < 4, "no more than a JPEG of it differs"
    assert np.abs(frames[0] - frames[-1]).mean() > 30


def test_a_resumed_move_between_two_pictures_gives_the_same_bytes(pair, recorder, tmp_path):
    engine = ProceduralEngine()
    uninterrupted = digest(engine.render(pair, recorder(tmp_path / "uninterrupted")))
    ctx = recorder(cancel_at=6)
    with pytest.raises(RenderCancelled):
        engine.render(pair, ctx)
    assert digest(engine.render(pair, recorder(checkpoint=ctx.saved[-1]))) == uninterrupted


def test_explain_names_the_move_between_two_pictures(pair):
    request = RenderRequest(prompt=pair.prompt, settings=TINY, input_digest="a", last_digest="b")
    found = ProceduralEngine().explain(request).understanding
    assert found == pair.understanding
    move, *words = found.understood
    assert (move.phrase, move.role) == ("first and last frame", "setting")
    assert move.became == "camera: pan right from one to the other, with a dissolve"
    assert [part.became for part in words] == ["pace: calm", "camera: pan right"]
    assert found.not_drawn == ("cat",)


def mean_colour(path, frame=None):
    """The mean colour of a picture, or of one frame of a video: three values, 0..255."""
    if frame is None:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), float).mean(axis=(0, 1))
    with av.open(path) as video:
        frames = [each.to_ndarray(format="rgb24").astype(float) for each in video.decode(video=0)]
    return frames[frame].mean(axis=(0, 1))


@pytest.mark.parametrize(
    "prompt", ["ocean at sunset", "city at night", "a red boat, golden hour", "a lake, blue sky", "mountains, gloomy"]
)
def test_a_still_that_is_animated_with_its_own_prompt_keeps_its_colours(recorder, tmp_path, prompt):
    engine = ProceduralEngine()
    request = RenderRequest(type="image", prompt=prompt, settings={"width": 96, "height": 64, "seed": 11})
    still = engine.render(engine.normalise(request), recorder(tmp_path / "still")).path
    moved = RenderRequest(prompt=f"{prompt}, tripod", settings=TINY, input_digest=digest_of(still))
    recipe = engine.normalise(moved).model_copy(update={"input_path": still})
    video = engine.render(recipe, recorder(tmp_path / "video")).path
    for frame in (0, -1):
        assert np.abs(mean_colour(still) - mean_colour(video, frame)).max() < 5
    other = engine.normalise(moved.model_copy(update={"prompt": "dusk, tripod"}))
    changed = engine.render(other.model_copy(update={"input_path": still}), recorder(tmp_path / "other")).path
    assert np.abs(mean_colour(still) - mean_colour(changed, 0)).max() > 8, "another hour still changes the light"


@pytest.mark.parametrize("damage", [None, b"", b"\x89PNG\r\n\x1a\n broken"])
def test_an_unreadable_picture_is_a_failure_with_advice(photo, recorder, damage):
    if damage is None:
        photo.input_path.unlink()
    else:
        photo.input_path.write_bytes(damage)
    with pytest.raises(RenderFailed, match="Upload it again") as caught:
        ProceduralEngine().render(photo, recorder())
    assert caught.value.code == ("input_missing" if damage is None else "input_changed")


@pytest.mark.parametrize("start", ["prompt", "picture"])
def test_a_still_contains_its_recipe_and_is_reproducible(photo, recipe, recorder, tmp_path, start):
    base = photo if start == "picture" else recipe
    still = base.model_copy(update={"type": "image", "num_frames": 1})
    engine = ProceduralEngine()
    artifact = engine.render(still, recorder())
    assert (artifact.content_type, artifact.fps, artifact.duration_seconds) == ("image/png", 0, 0)
    with Image.open(artifact.path) as image:
        image.load()
        assert image.size == (96, 64)
        metadata = json.loads(image.text["Comment"])
    assert (metadata["type"], metadata["seed"], metadata["prompt"]) == ("image", 11, still.prompt)
    assert "inputPath" not in metadata
    assert digest(engine.render(still, recorder(tmp_path / "again"))) == digest(artifact)
