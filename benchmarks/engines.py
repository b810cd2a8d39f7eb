"""Engines that make their frames at a known rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field

from videogen import engine
from videogen.engines.base import ProcessPolicy, Recipe, RenderContext
from videogen.engines.settings import VideoSettings
from videogen.schemas.engines import Capabilities


@engine("paced", title="Paced")
def paced(recipe: Recipe) -> Iterator[Any]:
    """One small grey frame every 150 ms. That is slower than the throttle of progress events: each step is an event."""
    for index in range(recipe.num_frames):
        time.sleep(0.15)
        yield np.full((recipe.height, recipe.width, 3), index % 256, np.uint8)


@engine("six-seconds", title="Six seconds")
def six_seconds(recipe: Recipe) -> Iterator[Any]:
    """Grey frames for six seconds, however many the form asks for."""
    for index in range(recipe.num_frames):
        time.sleep(6 / recipe.num_frames)
        yield np.full((recipe.height, recipe.width, 3), index % 256, np.uint8)


class PauseSettings(VideoSettings):
    """With the time that it takes."""

    pause_ms: int = Field(default=500, ge=0, le=60_000)


@engine(
    "pauses",
    title="Pauses",
    settings=PauseSettings,
    capabilities=Capabilities(types=("image",)),
    process=ProcessPolicy(mode="sequential"),
)
def pauses(recipe: Recipe, ctx: RenderContext) -> Path:
    """A small grey picture after a pause. Its child stays for the next job."""
    time.sleep(recipe.settings["pause_ms"] / 1000)
    path = ctx.workdir / "grey.png"
    Image.new("RGB", (recipe.width, recipe.height), "grey").save(path)
    return path
