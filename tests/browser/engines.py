"""Engines whose speed a test decides. They are named in the form's Engine field by their titles."""

import threading
from enum import StrEnum
from typing import Literal

import numpy as np
from pydantic import Field

from videogen.engines.base import Preset, ProcessPolicy, RenderFailed
from videogen.engines.frames import read_input, read_last
from videogen.engines.function import engine
from videogen.engines.settings import VideoSettings
from videogen.schemas.engines import Capabilities

GATE = "go-on"
"""The file in a generation's workdir that opens its gate: the seconds that each frame takes from then on."""
MARKUP = '<img src="/nowhere" onerror="window.scriptRan = true"><b>no such film</b>'


def picture(recipe, index):
    """A bright stripe that falls from frame to frame: uint8, (H, W, 3)."""
    frame = np.full((recipe.height, recipe.width, 3), (30, 40, 70), np.uint8)
    frame[8 * index : 8 * index + 40] = (250, 190, 60)
    return frame


class ShortClip(VideoSettings):
    """The form takes its first values from here: two seconds at twelve frames."""

    duration_seconds: float = Field(default=2.0, ge=0.5, le=60, strict=True)
    fps: int = Field(default=12, ge=1, le=60, strict=True)


@engine("gated", settings=ShortClip)
def gated(recipe, ctx):
    """Renders the first half, then waits until the test lets it go on."""
    gate, pace = ctx.workdir / GATE, 0.03
    for index in range(recipe.num_frames):
        if index == recipe.num_frames // 2:
            while not gate.exists():
                ctx.raise_if_cancelled()
                threading.Event().wait(0.02)
            pace = float(gate.read_text())
        threading.Event().wait(pace)
        yield picture(recipe, index)


@engine("paced", settings=ShortClip)
def paced(recipe, ctx):
    """Takes its time for each frame, so that its progress can be watched."""
    for index in range(recipe.num_frames):
        ctx.raise_if_cancelled()
        threading.Event().wait(0.1)
        yield picture(recipe, index)


@engine("fails-once", settings=ShortClip)
def fails_once(recipe, ctx):
    """Fails the first time that it sees a seed, with a message that must stay text."""
    # Beside the folder of all workdirs: a retry has a workdir of its own.
    mark = ctx.workdir.parents[1] / f"failed-{recipe.seed}"
    if not mark.exists():
        mark.touch()
        raise RenderFailed(MARKUP, code="no_film", retryable=True)
    for index in range(recipe.num_frames):
        yield picture(recipe, index)


@engine(
    "develops",
    settings=ShortClip,
    capabilities=Capabilities(types=("video", "image"), image_input=True, last_frame=True),
)
def develops(recipe):
    """Shows the mean colour of its input image, or blue, at once; of a last frame beside it in the right half."""
    colour = read_input(recipe).mean((0, 1)) if recipe.input_digest else (30, 40, 200)
    frame = np.full((recipe.height, recipe.width, 3), colour, np.uint8)
    if recipe.last_digest:
        frame[:, recipe.width // 2 :] = read_last(recipe).mean((0, 1))
    for _ in range(recipe.num_frames):
        yield frame


class Quality(StrEnum):
    """An enumeration of the engine's own, which a schema only refers to."""

    FAST = "fast"
    FINE = "fine"


class OddSettings(ShortClip):
    """One of each kind of setting that a form can meet."""

    steps: int = Field(
        default=30, ge=1, le=50, multiple_of=1, description="More is finer and slower.",
        json_schema_extra={"group": "Sampling", "unit": "rounds"},
    )  # fmt: skip
    guidance_scale: float = Field(
        default=7.5, gt=0, le=20, description="How closely the prompt is followed.",
        json_schema_extra={"group": "Sampling"},
    )  # fmt: skip
    style: Literal["film_noir", "pixel-art", "plain"] = Field(default="plain", json_schema_extra={"group": "Look"})
    loop: bool = Field(default=False, description="The end meets the beginning.", json_schema_extra={"group": "Look"})
    caption: str | None = Field(default=None, max_length=20, title="Caption <b>bold</b>")
    lora_2x: Quality | None = Field(default=Quality.FAST, title="Adapter")
    weights: list[float] = Field(default=[1.0, 0.5], title="Weights")


@engine(
    "odd",
    settings=OddSettings,
    capabilities=Capabilities(negative_prompt=True),
    presets=(
        Preset(id="noir", title="Noir", prompt="a street at night", settings={"style": "film_noir", "steps": 12}),
    ),
)
def odd(recipe):
    """Takes settings that no other engine has, and paints the number of steps as a shade of grey."""
    # What arrives is checked and has Python's names.
    assert set(recipe.settings) == {"steps", "guidance_scale", "style", "loop", "caption", "lora_2x", "weights"}
    for _ in range(recipe.num_frames):
        yield np.full((recipe.height, recipe.width, 3), 5 * recipe.settings["steps"], np.uint8)


# How a renderer starts is no subject of these tests: one that stays serves many jobs.
for _engine in (gated, paced, fails_once, develops, odd):
    _engine.process = ProcessPolicy(mode="sequential")
