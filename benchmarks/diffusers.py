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
# With real latents the scheduler computes for the rest of 100 ms.
LARGE_SLEEP_SECONDS = 0.06
STEPS = 20
ROUNDS = 7
KILLED_AT = 3
# Of the latents: 480 x 832 pixels, 81 frames, as Wan has them.
CHANNELS, LATENT_FRAMES, LATENT_HEIGHT, LATENT_WIDTH = 16, 21, 60, 104


def measure() -> list[Row]:
    """Measure in a process that has torch."""
    if not PYTHON.exists():
        return [Row("diffusers", f"not measured: there is no {PYTHON}. Run make test-diffusers first")]
    # Threads of torch that spin while they wait would measure how busy the machine is.
    env = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    command = [str(PYTHON), "-m", "benchmarks.diffusers"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"benchmarks.diffusers ended with exit status {done.returncode}:\n{done.stderr[-4000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    hook, hook_cpu, small = (found["watched"][name] * 1000 for name in ("wall", "cpu", "plain"))
    whole, whole_cpu, large = (found["whole"][name] * 1000 for name in ("wall", "cpu", "plain"))
    share = whole / large
    steps_again = found["steps_again"]
    is_kept = steps_again <= 1 and found["is_equal"]
    return [
        Row("diffusers: hook and report, per step", f"p50 {hook:.2f} ms, {hook_cpu:.2f} ms of CPU", f"<= {HOOK_MS} ms",
            f"pipeline called directly: {small:.1f} ms", hook <= HOOK_MS),
        Row("diffusers: preview and checkpoint too, per step",
            f"p50 {whole:.1f} ms, {share:.1%}, {whole_cpu:.1f} ms of CPU",
            f"<= {SHARE:.0%}", f"pipeline called directly: {large:.1f} ms", share <= SHARE),
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
        found: dict[str, Any] = _step_seconds(create(spec), recipe, Path(folder))
        whole = attempts.run(spec, recipe, Path(folder, "whole")).artifact.path.read_bytes()
        killed = attempts.run(spec, recipe, Path(folder, "again"), kill_at=KILLED_AT)
        resumed = attempts.run(spec, recipe, Path(folder, "again"))
        found |= {
            "steps_again": killed.steps[-1] - resumed.steps[0] + 1,
            "is_equal": resumed.artifact.path.read_bytes() == whole,
        }
    print(json.dumps(found))


def _step_seconds(engine: Any, recipe: Any, folder: Path) -> dict[str, dict[str, float]]:
    """Seconds that watching adds to each step, alone and with previews and checkpoints, and those of the plain step.

    `wall`, `cpu` (of the thread that the pipeline runs on) and `plain`: medians of runs that take turns.
    """
    from diffusers import DiffusionPipeline

    from videogen.engines.diffusers import loading
    from videogen.engines.process.context import Channel, ChildContext
    from videogen.engines.process.protocol import RenderJob

    work = RenderJob(engine="wan", recipe=recipe, generation_id="gen_a", workdir=folder / "job")
    work.workdir.mkdir()
    descriptor = os.open(os.devnull, os.O_WRONLY)
    ctx = ChildContext(work, Channel(descriptor))
    loaded = loading.load(engine._files, recipe, engine._options, ctx)
    plain = DiffusionPipeline.from_pretrained(str(engine._files.folder), local_files_only=True)
    plain.set_progress_bar_config(disable=True)
    large = recipe.model_copy(
        update={"width": LATENT_WIDTH * 8, "height": LATENT_HEIGHT * 8, "num_frames": LATENT_FRAMES * 4 - 3}
    )
    added = {
        "watched": _added(_Steps(plain, STEP_SECONDS), _Watched(loaded, recipe, ctx, with_threads=False)),
        "whole": _added(_Steps(plain, LARGE_SLEEP_SECONDS), _Watched(loaded, large, ctx, with_threads=True)),
    }
    os.close(descriptor)
    return added


class _Steps:
    """A pipeline whose denoiser only waits, as for a GPU."""

    def __init__(self, pipe: Any, sleep_seconds: float) -> None:
        self._pipe, self._sleep_seconds = pipe, sleep_seconds
        self._marks: list[tuple[float, float]] = []

    def denoise(self, hidden_states: Any, **_: Any) -> tuple[Any]:
        """Instead of the transformer; called twice in each step, with and without the prompt."""
        self._marks.append((time.perf_counter(), time.thread_time()))
        time.sleep(self._sleep_seconds / 2)
        return (hidden_states * 0.1,)

    def seconds(self, recipe: Any, watched: _Watched | None = None) -> tuple[float, float]:
        """Mean seconds for each step of a run, and those of the thread on the processor."""
        import torch

        pipe, self._marks = watched.pipe if watched else self._pipe, []
        pipe.transformer.forward = self.denoise
        shape = (1, CHANNELS, (recipe.num_frames - 1) // 4 + 1, recipe.height // 8, recipe.width // 8)
        arguments = {"prompt": "a sea", "num_inference_steps": STEPS, "output_type": "latent", "width": recipe.width,
                     "height": recipe.height, "num_frames": recipe.num_frames,
                     "latents": torch.randn(shape, generator=torch.Generator().manual_seed(0))}  # fmt: skip
        if watched:
            watched.run(lambda: pipe(**arguments))
        else:
            pipe(**arguments)
        (first, first_cpu), (last, last_cpu) = self._marks[0], self._marks[-2]
        return (last - first) / (STEPS - 1), (last_cpu - first_cpu) / (STEPS - 1)


class _Watched:
    """A pipeline that is watched as in a job, with or without what the threads of previews and checkpoints do."""

    def __init__(self, loaded: Any, recipe: Any, ctx: Any, *, with_threads: bool) -> None:
        self.pipe, self.recipe = loaded.pipe, recipe
        self._loaded, self._ctx, self._with_threads = loaded, ctx, with_threads

    def run(self, call: Any) -> None:
        """Run the pipeline."""
        from videogen.engines.diffusers import job

        reporter: Any = job._Reporter(self._loaded, self.recipe, self._ctx)
        if not self._with_threads:
            reporter._every = 10 * STEPS  # the one of the last step is behind the last mark
            reporter._previewer._projection = None
        self._loaded.gate.run(call, reporter, [])
        reporter.close(wait=True)


def _added(steps: _Steps, watched: _Watched) -> dict[str, float]:
    walls, cpus, plains = [], [], []
    for _ in range(ROUNDS):
        plain, plain_cpu = steps.seconds(watched.recipe)
        wall, cpu = steps.seconds(watched.recipe, watched)
        walls.append(wall - plain)
        cpus.append(cpu - plain_cpu)
        plains.append(plain)
    return {"wall": median(walls), "cpu": median(cpus), "plain": median(plains)}


if __name__ == "__main__":
    main()
