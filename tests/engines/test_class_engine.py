"""A class that is decorated: it loads once, renders many times, and goes on from its own checkpoints."""

import numpy as np
import pytest

from videogen.engines.base import Engine, RenderFailed, RenderRequest
from videogen.engines.function import engine
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.media.probe import probe
from videogen.schemas.engines import Capabilities, Explanation

SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 2.5, "seed": 3}


class Died(Exception):
    """Stands for the death of the process."""


class Walker:
    """Each frame depends on the one before, as in a model that makes one frame after the other."""

    def __init__(self, save_every=3):
        self.save_every, self.die_at, self.made = save_every, None, []

    def render(self, recipe, ctx):
        first, value = 0, recipe.seed
        if ctx.checkpoint:
            first, value = ctx.checkpoint["frame"], ctx.checkpoint["value"]
        for index in range(first, recipe.num_frames):
            if index == self.die_at:
                raise Died
            value = (value * 5 + 1) % 251
            self.made.append(index)
            yield np.full((recipe.height, recipe.width, 3), value, np.uint8)
            if (index + 1) % self.save_every == 0:
                ctx.save({"frame": index + 1, "value": value})


def walker(**attributes):
    """A decorated class whose instances have these attributes, and the instance that renders."""
    instance = Walker()
    vars(instance).update(attributes)
    made = engine("walker")(type("Own", (Walker,), {"__new__": lambda _cls: instance, "__init__": lambda _self: None}))
    return made, instance


def recipe_of(made):
    return made.normalise(RenderRequest(prompt="p", settings=SETTINGS))


def test_a_class_is_an_engine_and_stays_callable():
    @engine("mine", title="Mine")
    class Mine:
        """Does nothing yet."""

        version = "4"
        settings = VideoSettings

        def render(self, recipe):
            """Renders."""

    assert isinstance(Mine, Engine)
    assert (Mine.id, Mine.version, Mine.title, Mine.description) == ("mine", "4", "Mine", "Does nothing yet.")
    assert Mine.process.mode == "per_job"
    assert hasattr(Mine(), "render")


def test_a_class_with_load_is_loaded_by_its_first_job_and_stays(recorder):
    calls = []

    @engine("mine")
    class Mine:
        def __init__(self):
            calls.append("made")

        def load(self):
            calls.append("loaded")
            self.colour = 9

        def render(self, recipe, ctx):
            calls.append("rendered")
            yield from [np.full((64, 64, 3), self.colour, np.uint8)] * recipe.num_frames

    assert (Mine.process.mode, Mine.concurrency, calls) == ("sequential", 1, [])
    for _ in "ab":
        Mine.render(recipe_of(Mine), recorder())
    assert calls == ["made", "loaded", "rendered", "rendered"]


def test_a_class_may_have_its_own_probe_normalise_and_explain():
    @engine("mine")
    class Mine:
        def probe(self):
            return Capabilities(available=False, reason="Out of paint.")

        def normalise(self, request):
            return video_recipe(Mine, request).model_copy(update={"fps": 12})

        def explain(self, request):
            return Explanation(expected_seconds=3)

        def render(self, recipe):
            """Renders."""

    assert Mine.probe().reason == "Out of paint."
    assert recipe_of(Mine).fps == 12
    assert Mine.explain(RenderRequest(prompt="p")).expected_seconds == 3


@pytest.mark.parametrize("save_every", [1, 3, 8])
@pytest.mark.parametrize("die_at", [0, 1, 3, 8, 10, 19])
def test_frames_before_a_checkpoint_are_kept_and_the_result_is_that_of_an_unbroken_render(
    recorder, tmp_path, save_every, die_at
):
    unbroken, _ = walker(save_every=save_every)
    whole = unbroken.render(recipe_of(unbroken), recorder(tmp_path / "whole")).path.read_bytes()
    dying, _ = walker(save_every=save_every, die_at=die_at)
    ctx = recorder()
    with pytest.raises(Died):
        dying.render(recipe_of(dying), ctx)
    again, instance = walker(save_every=save_every)
    artifact = again.render(recipe_of(again), recorder(checkpoint=ctx.saved[-1] if ctx.saved else None))
    assert instance.made == list(range(die_at // save_every * save_every, 20))
    assert artifact.path.read_bytes() == whole
    found = probe(artifact.path)
    assert (found.num_frames, found.fps) == (20, 8)


@pytest.mark.parametrize("spoil", ["recipe", "segment"])
def test_a_checkpoint_that_does_not_fit_is_not_used(recorder, spoil):
    first, _ = walker()
    ctx = recorder()
    first.render(recipe_of(first), ctx)
    checkpoint = dict(ctx.saved[-1])
    if spoil == "recipe":
        checkpoint["recipe"] = "another"
    else:
        (ctx.workdir / "segments" / "00001.mp4").unlink()
    again, instance = walker()
    again.render(recipe_of(again), recorder(checkpoint=checkpoint))
    assert instance.made[0] == 0


def test_too_few_frames_after_a_checkpoint_have_a_clear_message(recorder):
    @engine("short")
    class Short:
        def render(self, recipe, ctx):
            if not ctx.checkpoint:
                yield np.zeros((64, 64, 3), np.uint8)
                ctx.save({"frame": 1})
                raise Died

    ctx = recorder()
    with pytest.raises(Died):
        Short.render(recipe_of(Short), ctx)
    with pytest.raises(RenderFailed, match=r"Expected 20 frames .*, the 1 before the checkpoint included, got 1\."):
        Short.render(recipe_of(Short), recorder(checkpoint=ctx.saved[-1]))


def test_an_engine_that_reports_its_own_steps_has_the_progress_for_itself(recorder):
    @engine("diffusion")
    class Diffusion:
        def render(self, recipe, ctx):
            for step in range(3):
                ctx.report(step + 1, 3, "denoising")
            yield from [np.zeros((64, 64, 3), np.uint8)] * recipe.num_frames

    ctx = recorder()
    Diffusion.render(recipe_of(Diffusion), ctx)
    reports = [report[:3] for report in ctx.reports]
    assert reports == [(0, 20, "preparing"), *((step, 3, "denoising") for step in (1, 2, 3)), (3, 3, "finishing")]
