"""Tiny engines that need no model. Refer to them as `videogen.testing.fakes:bars`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from videogen.engines.base import (
    Artifact,
    NeedsAttention,
    ProcessPolicy,
    Recipe,
    RenderContext,
    RenderFailed,
    RenderRequest,
)
from videogen.engines.frames import render_at, render_sequence
from videogen.engines.function import engine
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities, Cost

COLOURS = np.array(
    [[235, 235, 235], [235, 235, 16], [16, 235, 235], [16, 235, 16], [235, 16, 235], [235, 16, 16], [16, 16, 235]],
    np.uint8,
)  # fmt: skip
Frame = NDArray[np.uint8]


def bars_frame(recipe: Recipe, index: int) -> Frame:
    """Colour bars that move by two pixels a frame: uint8, (H, W, 3)."""
    columns = (np.arange(recipe.width) + 2 * index) * len(COLOURS) // recipe.width % len(COLOURS)
    return np.broadcast_to(COLOURS[columns], (recipe.height, recipe.width, 3))


class PacedSettings(VideoSettings):
    """With a time for each frame."""

    delay_ms: int = Field(default=20, ge=0, le=10_000)


@engine("bars", title="Colour bars")
def bars(recipe: Recipe) -> Iterator[Frame]:
    """Moving colour bars."""
    for index in range(recipe.num_frames):
        yield bars_frame(recipe, index)


@engine("slow", settings=PacedSettings)
def slow(recipe: Recipe, ctx: RenderContext) -> Iterator[Frame]:
    """Takes `delay_ms` for each frame, and stops at once when asked to."""
    for index in range(recipe.num_frames):
        threading.Event().wait(recipe.settings["delay_ms"] / 1000)
        ctx.raise_if_cancelled()
        yield bars_frame(recipe, index)


@engine("refuses")
def refuses(recipe: Recipe) -> Iterator[Frame]:
    """Fails as an engine should."""
    if recipe.num_frames:
        raise RenderFailed("The model is busy.", code="busy", retryable=True)
    yield bars_frame(recipe, 0)


@engine("raises")
def raises(recipe: Recipe) -> Iterator[Frame]:
    """Fails at the second frame."""
    yield bars_frame(recipe, 0)
    raise ValueError("there is no such colour\nand this line is for the log")


@engine("ignores-cancel")
def ignores_cancel(recipe: Recipe) -> Iterator[Frame]:
    """Yields one frame, then hangs for ever."""
    yield bars_frame(recipe, 0)
    threading.Event().wait()


class DiesSettings(VideoSettings):
    """With the frame and the attempts of the deaths."""

    die_at: int = Field(default=5, ge=0)
    attempts: int = Field(default=1_000, ge=0, description="dies on the first so many attempts only")


@engine("dies", settings=DiesSettings)
def dies(recipe: Recipe, ctx: RenderContext) -> Iterator[Frame]:
    """Dies by SIGKILL at frame `die_at`."""
    for index in range(recipe.num_frames):
        if index == recipe.settings["die_at"] and ctx.attempt <= recipe.settings["attempts"]:
            os.kill(os.getpid(), signal.SIGKILL)
        yield bars_frame(recipe, index)


class Steady:
    """Can be resumed. Dies by SIGKILL at the frame whose number is in the file `die-at` of the workdir."""

    id = "steady"
    version = "1"
    title = "Steady"
    description = "Bars that can be resumed."
    settings: type[BaseModel] = VideoSettings

    def probe(self) -> Capabilities:
        return Capabilities(resume=True)

    def normalise(self, request: RenderRequest) -> Recipe:
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        order = ctx.workdir / "die-at"
        # Not a setting: the recipe must be that of an unbroken render.
        die_at = int(order.read_text()) if order.exists() else -1

        def frame_at(index: int) -> Frame:
            if index == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return bars_frame(recipe, index)

        return render_at(recipe, ctx, frame_at)


steady = Steady()


class ServiceSettings(VideoSettings):
    """With the number of times that its owner must look for the job."""

    found_after: int = Field(default=1, ge=0, description="looks until the job is found; 0: it answers at once")


class LostService:
    """A service that does not answer whether it has the job, until its owner has looked often enough.

    Each time that it gets a job, it adds a line to the file `submitted` in the workdir.
    """

    id = "lost-service"
    version = "1"
    title = "Lost service"
    description = "Does not know whether it has a job."
    settings: type[BaseModel] = ServiceSettings
    process = ProcessPolicy(mode="concurrent", keep_checkpoints=True)
    concurrency = 10

    SENT_AT: Final = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
    LOOK_AT: Final = "https://service.example/jobs/job-7"

    def probe(self) -> Capabilities:
        return Capabilities(resume=True, exact_progress=False)

    def normalise(self, request: RenderRequest) -> Recipe:
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        state = ctx.checkpoint or {"looks": 0}
        if ctx.checkpoint is None:
            with (ctx.workdir / "submitted").open("a") as file:
                file.write(f"attempt {ctx.attempt}\n")
        looks = state["looks"] + bool(state.get("look"))
        ctx.save({"looks": looks})
        ctx.spent(Cost(amount=0.25, currency="USD"))
        ctx.report(40, 100, "rendering", "The service renders it.", estimated=True)
        if looks < recipe.settings["found_after"]:
            message = "The service does not know whether it has the job."
            raise NeedsAttention(message, sent_at=self.SENT_AT, provider_id="job-7", look_at=self.LOOK_AT)
        ctx.alive()
        return render_sequence(recipe, ctx, (bars_frame(recipe, index) for index in range(recipe.num_frames)))


lost_service = LostService()
