"""Every family: exact to the step, can be cancelled, and goes on where a killed render ended, to the same bytes."""

import pytest

torch = pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from tests.engines.diffusers import attempts  # noqa: E402
from tests.engines.diffusers.attempts import MORE_FAMILIES, STEPS  # noqa: E402
from videogen.media.image import probe_image  # noqa: E402
from videogen.media.probe import probe  # noqa: E402

FAMILIES = ("wan", "ltx", "sdxl", "wan-i2v", "cogvideox", "hunyuan-video-1.5", *MORE_FAMILIES)
KILLED_AT = 3


@pytest.fixture
def attempt(tmp_path, spec_for):
    """Renders in a process of its own."""
    return lambda name, recipe, folder, **options: attempts.run(spec_for(name), recipe, tmp_path / folder, **options)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_killed_render_goes_on_at_its_step_and_ends_with_the_same_bytes(name, attempt, engine_for, recipe_for):
    recipe = recipe_for(engine_for(name), negative_prompt="rain")
    whole = attempt(name, recipe, "whole")
    assert whole.steps == list(range(1, STEPS + 1)), whole.end
    assert whole.stages == ["loading", "preparing", "denoising", "decoding", "encoding"]
    before_the_frames = whole.calls[: next(n for n, call in enumerate(whole.calls) if call[3:4] == ["encoding"])]
    assert ["preview", [64, 64, 3], "uint8"] in before_the_frames, "of the latents, as large as the result"
    killed = attempt(name, recipe, "again", kill_at=KILLED_AT)
    assert (killed.exitcode, killed.steps[-1]) == (-9, KILLED_AT)
    resumed = attempt(name, recipe, "again")
    assert resumed.steps[0] >= KILLED_AT, "at most one step is computed again"
    assert resumed.steps[-1] == STEPS
    assert resumed.artifact.path.read_bytes() == whole.artifact.path.read_bytes()
    if recipe.type == "video":
        found = probe(whole.artifact.path)
        assert (found.width, found.height, found.num_frames) == (64, 64, recipe.num_frames)
    else:
        assert probe_image(whole.artifact.path) == (64, 64)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_cancelled_render_computes_no_further_step(name, attempt, engine_for, recipe_for):
    cancelled = attempt(name, recipe_for(engine_for(name)), "job", cancel_at=2)
    assert cancelled.end == ["cancelled"]
    assert cancelled.steps == [1, 2]


def test_a_render_killed_again_and_again_ends_with_the_same_bytes(attempt, engine_for, recipe_for):
    recipe = recipe_for(engine_for("wan"))
    whole = attempt("wan", recipe, "whole").artifact.path.read_bytes()
    for step in (1, 4):
        assert attempt("wan", recipe, "again", kill_at=step).exitcode == -9
    assert attempt("wan", recipe, "again").artifact.path.read_bytes() == whole
