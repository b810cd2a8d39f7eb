import hashlib

import pytest

from videogen.engines.base import Engine, RenderCancelled, RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine
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
