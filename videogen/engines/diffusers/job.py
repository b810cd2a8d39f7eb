"""One render with a loaded pipeline: denoise, decode, encode."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderEnd
from videogen.engines.diffusers import faults
from videogen.engines.diffusers.arguments import call_arguments, check_recipe
from videogen.engines.diffusers.checkpoints import CheckpointWriter, read_state, remove_state
from videogen.engines.diffusers.denoising import DenoisingRun
from videogen.engines.diffusers.loading import LoadedPipeline
from videogen.engines.diffusers.lora import apply_lora
from videogen.engines.diffusers.outputs import frames_of, sound_of
from videogen.engines.diffusers.preview import Previewer, preview_shape
from videogen.engines.frames import render_sequence, render_still
from videogen.media.sound import Sound

logger = logging.getLogger("videogen.render")
_ALIVE_SECONDS: Final = 2.0
"""A long step reports again after this time, between two blocks."""


def render(loaded: LoadedPipeline, recipe: Recipe, ctx: RenderContext) -> Artifact:
    """Render a recipe into `ctx.workdir`. A step that an earlier attempt has finished is not computed again.

    Raises:
        RenderFailed: the model does not make this, memory ran out, or the result is no picture.
        RenderCancelled: the job was cancelled.
    """
    check_recipe(recipe, loaded.traits)
    apply_lora(loaded, recipe)
    reporter = _Reporter(loaded, recipe, ctx)
    frames, sound = _run(loaded, recipe, ctx, reporter)
    actual = recipe.model_copy(update={"height": frames.shape[1], "width": frames.shape[2], "num_frames": len(frames)})
    if actual != recipe:
        logger.info("the model made %d frames of %d x %d", len(frames), actual.width, actual.height)
    encoding = _EncodingContext(ctx, reporter.total)
    if recipe.type == "image":
        artifact = render_still(actual, encoding, lambda: frames[0])
    else:
        artifact = render_sequence(actual, encoding, iter(frames), sound=sound)
    remove_state(ctx.workdir)
    return artifact


def _run(
    loaded: LoadedPipeline, recipe: Recipe, ctx: RenderContext, reporter: _Reporter
) -> tuple[NDArray[np.uint8], Sound | None]:
    """Run the pipeline: frames and sound. A device that is lost ends this process."""
    arguments, generator = call_arguments(loaded, recipe)
    resume = read_state(ctx, loaded.origin(recipe), loaded.device)
    reporter.begin(resume["step"] if resume else 0)
    failure = None
    try:
        output = loaded.gate.run(partial(loaded.pipe, **arguments), reporter, [generator], resume)
        reporter.close(wait=True)
        return frames_of(output), sound_of(output, loaded.pipe)
    except RenderEnd:
        raise
    except Exception as error:
        if faults.is_device_lost(error):
            faults.end_process(error)
        failure = faults.render_failure(error, recipe, loaded.gate.phase, loaded.traits.pipeline)
        if failure is None:
            raise
        logger.exception("the pipeline ended with an error")
    finally:
        reporter.close(wait=False)
    # Outside of the block, nothing holds the memory of the failed call any more.
    faults.free_memory()
    raise failure


class _Reporter:
    """Observes a run: reports its steps, keeps checkpoints, shows previews, and stops it when the job is cancelled."""

    def __init__(self, loaded: LoadedPipeline, recipe: Recipe, ctx: RenderContext) -> None:
        self.total = int(recipe.settings.get("steps", loaded.traits.family.steps))
        self._ctx, self._step, self._stage = ctx, 0, "preparing"
        self._every = loaded.options.checkpoint_steps
        self._writer = CheckpointWriter(ctx, loaded.origin(recipe))
        shape = preview_shape(loaded.traits, recipe.width, recipe.height, recipe.num_frames)
        self._previewer = Previewer(ctx, loaded.pipe, loaded.projection, shape)
        self._reported = 0.0

    def begin(self, step: int) -> None:
        """Report where the run begins: at the step of its checkpoint, or 0."""
        self._step = step
        self._report()

    def check(self) -> None:
        """See `Observer.check`."""
        self._ctx.raise_if_cancelled()
        if time.monotonic() - self._reported >= _ALIVE_SECONDS:
            self._report()

    def step_done(self, run: DenoisingRun, step: int, total: int) -> None:
        """See `Observer.step_done`."""
        self._step, self.total, self._stage = step, total, "denoising"
        if step % self._every == 0 or step == total:
            self._writer.submit(run.state(), total)
        if self._previewer.is_due():
            self._previewer.show(run.estimate())
        self._report()

    def decoding(self) -> None:
        """See `Observer.decoding`."""
        self._stage = "decoding"
        self._report()

    def close(self, *, wait: bool) -> None:
        """End the threads; with `wait`, errors of the last checkpoint are raised."""
        self._previewer.close()
        self._writer.close(wait=wait)

    def _report(self) -> None:
        self._reported = time.monotonic()
        self._ctx.report(min(self._step, self.total), self.total, self._stage, self._writer.problem)


class _EncodingContext:
    """The context while frames are encoded: all steps of the model are behind it, so progress does not fall."""

    def __init__(self, ctx: RenderContext, steps: int) -> None:
        self.workdir: Path = ctx.workdir
        self.attempt = ctx.attempt
        self.checkpoint: dict[str, Any] | None = None
        self._ctx, self._steps = ctx, steps
        self.preview = ctx.preview
        self.raise_if_cancelled, self.wait = ctx.raise_if_cancelled, ctx.wait
        self.alive, self.spent = ctx.alive, ctx.spent

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        """Report the last step of the model again, and the frame in words."""
        self._ctx.report(self._steps, self._steps, "encoding", message or f"Writing frame {step} of {total}")

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep none: the model's last step is a better one."""
