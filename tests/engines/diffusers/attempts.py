"""Renders in processes of their own, which can be killed. They are forked from one that has imported torch already."""

import json
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from videogen.core.atomic_files import write_durably
from videogen.engines.base import Artifact, Recipe, RenderCancelled, RenderEnd
from videogen.engines.diffusers.engine import create
from videogen.engines.spec import EngineSpec
from videogen.testing import RecordingContext

STEPS = 5
TIMEOUT_SECONDS = 200
SIZE = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.125, "seed": 3, "steps": STEPS}
"""A size and a length that every pipeline here makes: 9 frames."""

MORE_FAMILIES = tuple(
    pytest.param(name, marks=pytest.mark.long)
    for name in (
        "cogvideox-ddim", "flux", "hunyuan-video", "ltx-2", "ltx-condition", "mochi", "sana-video",
        "stable-diffusion-3", "wan-flf2v",
    )
)  # fmt: skip
"""Those of `tiny_families`."""

_PROCESSES = multiprocessing.get_context("forkserver")
# diffusers imports its classes when they are first asked for: these modules ask for all that a render needs.
_PROCESSES.set_forkserver_preload(
    ["videogen.engines.diffusers.job", "tests.engines.diffusers.tiny_pipelines", "tests.engines.diffusers.attempts"]
)


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended. `steps`: those of the model that it has reported."""

    exitcode: int
    calls: list = field(default_factory=list)

    @property
    def steps(self):
        # A step that takes long is reported again and again.
        return list(dict.fromkeys(call[1] for call in self.calls if call[0] == "report" and call[3] == "denoising"))

    @property
    def stages(self):
        return list(dict.fromkeys(call[3] for call in self.calls if call[0] == "report"))

    @property
    def end(self):
        """Last call: `["done", artifact]`, `["failed", code, message]` or `["cancelled"]`."""
        return self.calls[-1]

    @property
    def artifact(self):
        assert self.end[0] == "done", self.end
        return Artifact.model_validate(self.end[1])


class FileContext(RecordingContext):
    """A RenderContext whose calls are lines of a file. It kills its process, or cancels the job, at a step."""

    def __init__(self, workdir, log, kill_at=None, cancel_at=None):
        kept = workdir / "checkpoint.json"
        super().__init__(workdir, checkpoint=json.loads(kept.read_bytes()) if kept.exists() else None)
        self._log, self._kill_at, self._cancel_at, self._cancelled = log, kill_at, cancel_at, False

    def write(self, *call):
        os.write(self._log, orjson.dumps(call) + b"\n")

    def report(self, step, total, stage, message="", *, estimated=False):
        self.write("report", step, total, stage, message)
        if stage == "denoising" and step == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._cancelled = self._cancelled or (stage == "denoising" and step == self._cancel_at)

    def preview(self, image):
        self.write("preview", image.shape, str(image.dtype))

    def save(self, checkpoint):
        self.raise_if_cancelled()
        write_durably(self.workdir / "checkpoint.json", orjson.dumps(checkpoint))
        self.write("save", checkpoint)

    def raise_if_cancelled(self):
        if self._cancelled:
            raise RenderCancelled


def run(spec, recipe, workdir, **options):
    """Render a recipe in a process of its own, and return how it ended."""
    workdir.mkdir(exist_ok=True)
    log = workdir / f"calls-{len(list(workdir.glob('calls-*')))}.jsonl"
    arguments = (spec.model_dump_json(), recipe.model_dump_json(), str(workdir), str(log), options)
    process = _PROCESSES.Process(target=_render, args=arguments)
    process.start()
    process.join(TIMEOUT_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    calls = [json.loads(line) for line in log.read_bytes().splitlines()] if log.exists() else []
    return Attempt(process.exitcode, calls)


def _render(spec, recipe, workdir, log, options):
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ctx = FileContext(Path(workdir), descriptor, **options)
    engine = create(EngineSpec.model_validate_json(spec))
    try:
        artifact = engine.render(Recipe.model_validate_json(recipe), ctx)
        ctx.write("done", artifact.model_dump(mode="json"))
    except RenderCancelled:
        ctx.write("cancelled")
    except RenderEnd as end:
        ctx.write("failed", getattr(end, "code", type(end).__name__), str(end))
