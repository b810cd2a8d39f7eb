"""An extension of a clip of four seconds to eight. Peer: rendering four seconds anew, and encoding them once."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import av
import numpy as np

from benchmarks.table import Row
from videogen.engines.base import Artifact, Recipe, RenderRequest, Source, Span
from videogen.engines.procedural.engine import ProceduralEngine
from videogen.engines.process import protocol
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.media.encode import SegmentEncoder, VideoShape
from videogen.services.span_recipes import part_recipe, whole_recipe

SETTINGS = {"width": 512, "height": 288, "fps": 24, "durationSeconds": 4.0, "seed": 7}
PROMPTS = (
    "ocean at sunset, pan right",
    "neon city in the rain",
    "misty forest at sunrise",
    "aurora over a lake",
    "river",
)


def measure() -> list[Row]:
    """Render each prompt, encode it alone, and extend it; in turns, each render in a child process as in the app."""
    engine, anew, encoded, extended = ProceduralEngine(), list[float](), list[float](), list[float]()
    with closing(ProcessPool(spares=1)) as pool, tempfile.TemporaryDirectory() as folder:
        for number, prompt in enumerate(PROMPTS):
            first = engine.normalise(RenderRequest(prompt=prompt, settings=SETTINGS))
            with _timed(anew):
                made = _render(pool, first, Path(folder) / f"{number}-first")
            with _timed(encoded):
                _encode(made.path, Path(folder) / f"{number}.mp4")
            with _timed(extended):
                _render(pool, _longer(engine, first, made), Path(folder) / f"{number}-longer")
    whole, peer = median(extended), median(anew) + median(encoded)
    return [
        Row(
            "an extension of a 4 s clip of 512x288 by 4 s, median of 5 scenes",
            f"{whole:.2f} s, {whole / peer:.2f} x",
            "<= 1 x",
            f"rendering 4 s anew and one encode: {median(anew):.2f} + {median(encoded):.2f} s",
            whole <= peer,
        )
    ]


def _longer(engine: ProceduralEngine, first: Recipe, made: Artifact) -> Recipe:
    part = part_recipe(engine, RenderRequest(prompt=first.prompt, settings=SETTINGS), first, "0" * 64)
    kept = [Span(num_frames=first.num_frames, kept_from=0, prompt=first.prompt, recipe=first)]
    whole = whole_recipe(part, kept, [part], Source(digest="0" * 64))
    return whole.model_copy(update={"source_path": made.path})


def _render(pool: ProcessPool, recipe: Recipe, folder: Path) -> Artifact:
    job = protocol.RenderJob(engine="procedural", recipe=recipe, generation_id=folder.name, workdir=folder)
    with RenderHandle(job, pool) as render:
        *_, end = render.messages()
    if not isinstance(end, protocol.Done):
        raise RuntimeError(f"expected a video, got {end}")
    return end.artifact


def _encode(source: Path, target: Path) -> None:
    with av.open(str(source)) as video, SegmentEncoder(target, VideoShape(512, 288, 24)) as encoder:
        for frame in video.decode(video=0):
            encoder.write(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times.append(time.perf_counter() - began)
