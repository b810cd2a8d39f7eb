"""The built-in engine from submit to playable, with 20 subjects and three sizes. Peer: encoding alone."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import av
import numpy as np

from benchmarks.table import Row
from videogen.engines.base import RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine
from videogen.engines.process import protocol
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.media.encode import SegmentEncoder, VideoShape

SIZES = {(512, 288): 2.5, (854, 480): 4.0, (1280, 720): 9.0}
"""Width and height in pixels, and the most seconds that a job may take."""
ENGINE = "procedural"
FIRST_PREVIEW_S = 0.6
MEMORY_MB = 350.0
FORM = {"fps": 24, "durationSeconds": 4, "seed": 7}
PROMPTS = (
    "ocean at sunset",
    "mountains by a lake",
    "forest at sunrise",
    "neon city in the rain",
    "desert",
    "planet in space",
    "aurora over a lake",
    "clouds",
    "rain over a lake",
    "snow in a winter forest",
    "campfire",
    "lightning over the ocean",
    "underwater, fish",
    "field of flowers",
    "waterfall",
    "river",
    "sky lanterns",
    "fractal",
    "colourful abstract flow",
    "a horse at sunrise",
)


@dataclass(frozen=True, slots=True)
class _Job:
    """One render: seconds until its first preview and until it is done, of processor time, and of encoding alone; peak
    memory in megabytes."""

    preview: float
    done: float
    memory: float
    processor: float
    encoding: float


def measure() -> list[Row]:
    """Render every prompt at every size, one after the other, each in a child process as the app does it."""
    rows: list[Row] = []
    with closing(ProcessPool(spares=1)) as pool, tempfile.TemporaryDirectory() as folder:
        for number, (size, bound) in enumerate(SIZES.items()):
            jobs = {}
            for index, prompt in enumerate(PROMPTS):
                jobs[prompt] = _job(pool, Path(folder) / f"{number}-{index}", size, prompt)
            rows += _rows(size, bound, jobs)
    return rows


def _job(pool: ProcessPool, workdir: Path, size: tuple[int, int], prompt: str) -> _Job:
    pool.prepare(ENGINE)
    # An idle child has its imports behind it, as it has in an app that waits for work.
    while (pid := pool.spare_pid(ENGINE)) is None or not _is_idle(pid):
        time.sleep(0.05)
    form = FORM | {"width": size[0], "height": size[1]}
    preview, memory, ticks, video = 0.0, 0.0, 0, None
    started = time.perf_counter()
    recipe = ProceduralEngine().normalise(RenderRequest(prompt=prompt, settings=form))
    job = protocol.RenderJob(engine=ENGINE, recipe=recipe, generation_id=workdir.name, workdir=workdir)
    with RenderHandle(job, pool) as render:
        for message in render.messages():
            memory, ticks = max(memory, _peak_memory(render.pid)), max(ticks, _ticks(render.pid))
            if isinstance(message, protocol.Preview) and not preview:
                preview = time.perf_counter() - started
            elif isinstance(message, protocol.Done):
                video = message.artifact.path
    done = time.perf_counter() - started
    if video is None:
        raise RuntimeError(f"{prompt}: expected a video, got {message}")
    encoding = _encode(video, workdir / "again.mp4", VideoShape(*size, recipe.fps))
    shutil.rmtree(workdir)
    return _Job(preview, done, memory, ticks / os.sysconf("SC_CLK_TCK"), encoding)


def _is_idle(pid: int) -> bool:
    """Whether a child waits for its request: it has used no processor time for 0.15 s."""
    before = _ticks(pid)
    time.sleep(0.15)
    return before > 0 and _ticks(pid) == before


def _ticks(pid: int) -> int:
    """Processor time that a process has used, in clock ticks; 0 if the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _peak_memory(pid: int) -> float:
    """Peak memory of a process in megabytes; 0 if the process has ended."""
    try:
        match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(match.group(1)) / 1024 if match else 0.0


def _encode(video: Path, out: Path, shape: VideoShape) -> float:
    """Seconds that it takes to encode the frames of a video."""
    seconds = 0.0
    with av.open(str(video)) as source, SegmentEncoder(out, shape) as encoder:
        for frame in source.decode(video=0):
            picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            started = time.perf_counter()
            encoder.write(picture)
            seconds += time.perf_counter() - started
    return seconds


def _rows(size: tuple[int, int], bound: float, jobs: dict[str, _Job]) -> Iterator[Row]:
    name = f"{size[0]}x{size[1]}"
    done = median(job.done for job in jobs.values())
    slowest = max(jobs, key=lambda prompt: jobs[prompt].done)
    encoding = median(job.encoding for job in jobs.values())
    value = f"p50 {done:.2f} s, max {jobs[slowest].done:.2f} s ({slowest}; n={len(jobs)})"
    processor = median(job.processor for job in jobs.values())
    peer = f"encoding alone: p50 {encoding:.2f} s; processor time of a job: p50 {processor:.2f} s"
    yield Row(f"submit -> playable, 96 frames, {name}", value, f"p50 <= {bound} s", peer, done <= bound)
    previews = [job.preview for job in jobs.values()]
    value = f"p50 {median(previews):.2f} s, max {max(previews):.2f} s"
    yield Row(
        f"submit -> first preview, {name}",
        value,
        f"p50 <= {FIRST_PREVIEW_S} s",
        "",
        median(previews) <= FIRST_PREVIEW_S,
    )
    memory = max(job.memory for job in jobs.values())
    yield Row(
        f"peak memory of a renderer, {name}", f"max {memory:.0f} MB", f"<= {MEMORY_MB:.0f} MB", "", memory <= MEMORY_MB
    )
