"""What watching a pipeline of diffusers costs for each step, and what a kill costs. Peer: the pipeline called directly.

It runs in the environment of `make test-diffusers`, which has torch. There is no GPU in it: a step of 100 ms is one in
which the processor waits, as it does for a GPU, with latents of the size of a real video.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.table import Row

PYTHON = Path(".venv-diffusers/bin/python")
HOOK_MS = 2.0
SHARE = 0.05
STEP_SECONDS = 0.1
STEPS = 20
ROUNDS = 5
KILLED_AT = 3
# Of the latents: 480 x 832 pixels, 81 frames, as Wan has them.
CHANNELS, LATENT_FRAMES, LATENT_HEIGHT, LATENT_WIDTH = 16, 21, 60, 104


def measure() -> list[Row]:
    """Measure in a process that has torch."""
    if not PYTHON.exists():
        return [Row("diffusers", f"not measured: there is no {PYTHON}. Run make test-diffusers first")]
    done = subprocess.run([PYTHON, "-m", "benchmarks.diffusers"], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    plain, watched, whole = (found[name] * 1000 for name in ("plain", "watched", "whole"))
    hook, share = watched - plain, (whole - plain) / plain
    steps_again = found["steps_again"]
    is_kept = steps_again <= 1 and found["is_equal"]
    return [
        Row("diffusers: hook and report, per step", f"p50 {hook:.2f} ms", f"<= {HOOK_MS} ms",
            f"pipeline called directly: {plain:.1f} ms", hook <= HOOK_MS),
        Row("diffusers: preview and checkpoint too, per step", f"p50 {whole - plain:.1f} ms, {share:.1%}",
            f"<= {SHARE:.0%}", f"pipeline called directly: {plain:.1f} ms", share <= SHARE),
        Row(f"diffusers: killed at step {KILLED_AT}",
            f"{steps_again} steps again, output {'equal' if found['is_equal'] else 'DIFFERENT'}",
            "<= 1 step again, equal", "the same render, not killed", is_kept),
    ]  # fmt: skip


def main() -> None:
    """Measure, and print the figures in seconds as one line of JSON."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    attempts: Any = import_module("tests.engines.diffusers.attempts")
    tiny_pipelines: Any = import_module("tests.engines.diffusers.tiny_pipelines")
    from videogen.engines.base import RenderRequest
    from videogen.engines.diffusers.engine import create
    from videogen.engines.spec import EngineSpec

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "tiny-wan")
        tiny_pipelines.save("wan", model)
        spec = EngineSpec(id="wan", kind="diffusers", model=str(model), options={"device": "cpu"})
        recipe = create(spec).normalise(RenderRequest(prompt="a sea", settings=attempts.SIZE))
        found = _step_seconds(create(spec), recipe, Path(folder))
        whole = attempts.run(spec, recipe, Path(folder, "whole")).artifact.path.read_bytes()
        killed = attempts.run(spec, recipe, Path(folder, "again"), kill_at=KILLED_AT)
        resumed = attempts.run(spec, recipe, Path(folder, "again"))
        found |= {
            "steps_again": killed.steps[-1] - resumed.steps[0] + 1,
            "is_equal": resumed.artifact.path.read_bytes() == whole,
        }
    print(json.dumps(found))


def _step_seconds(engine: Any, recipe: Any, folder: Path) -> dict[str, float]:
    """Seconds for each step: of the plain pipeline, watched, and with previews and checkpoints. Measured in turns."""
    import torch
    from diffusers import DiffusionPipeline

    from videogen.engines.diffusers import job, loading
    from videogen.engines.process.context import Channel, ChildContext
    from videogen.engines.process.protocol import RenderJob

    def slow(hidden_states: Any, **_: Any) -> tuple[Any]:
        time.sleep(STEP_SECONDS / 2)  # a step has two calls, with and without the prompt
        return (hidden_states * 0.1,)

    descriptor = os.open(os.devnull, os.O_WRONLY)
    work = RenderJob(engine="wan", recipe=recipe, generation_id="gen_a", workdir=folder / "job")
    work.workdir.mkdir()
    ctx = ChildContext(work, Channel(descriptor))
    recipe = recipe.model_copy(
        update={"width": LATENT_WIDTH * 8, "height": LATENT_HEIGHT * 8, "num_frames": LATENT_FRAMES * 4 - 3}
    )
    loaded = loading.load(engine._files, recipe, engine._options, ctx)
    plain = DiffusionPipeline.from_pretrained(str(engine._files.folder), local_files_only=True)
    plain.set_progress_bar_config(disable=True)
    noise = torch.randn(1, CHANNELS, LATENT_FRAMES, LATENT_HEIGHT, LATENT_WIDTH)
    for pipe in (plain, loaded.pipe):
        pipe.transformer.forward = slow
    arguments = {"prompt": "a sea", "num_inference_steps": STEPS, "output_type": "latent", "width": recipe.width,
                 "height": recipe.height, "num_frames": recipe.num_frames}  # fmt: skip

    def run(kind: str) -> float:
        started = time.perf_counter()
        if kind == "plain":
            plain(**arguments, latents=noise.clone())
        else:
            reporter: Any = job._Reporter(loaded, recipe, ctx)
            if kind == "watched":
                reporter._writer.submit = lambda *_: None
                reporter._previewer._projection = None
            loaded.gate.run(lambda: loaded.pipe(**arguments, latents=noise.clone()), reporter, [])
            reporter.close(wait=True)
        return (time.perf_counter() - started) / STEPS

    kinds = ("plain", "watched", "whole")
    rounds = [{kind: run(kind) for kind in kinds} for _ in range(ROUNDS)]
    os.close(descriptor)
    return {kind: median(values[kind] for values in rounds[1:]) for kind in kinds}


if __name__ == "__main__":
    main()
