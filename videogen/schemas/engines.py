"""Engines as `GET /engines` lists them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from videogen.schemas.base import Model, PlainObject, Text
from videogen.schemas.generations import Cost as Cost
from videogen.schemas.generations import GenerationType, Shot, Understanding
from videogen.schemas.retention import Quota as Quota


class PresetInfo(Model):
    """A named example: prompt, type and settings that can be sent as a request without changes."""

    id: str = Field(description="Unique within its engine.")
    title: str
    prompt: str
    negative_prompt: str = ""
    type: GenerationType = "video"
    settings: dict[str, Any] = Field(default_factory=dict)
    poster_url: str | None = Field(default=None, description="A small image of its result.")


class EngineInfo(Model):
    """An engine with what it can do, its settings as JSON Schema, and its presets."""

    id: str
    title: str
    description: str
    version: str
    default: bool
    available: bool
    reason: str | None
    capabilities: Capabilities
    settings_schema: dict[str, Any]
    presets: tuple[PresetInfo, ...] = ()


class EngineList(Model):
    """All configured engines."""

    items: list[EngineInfo]


class Capabilities(Model):
    """What an engine can do on this machine."""

    available: bool = True
    reason: str | None = Field(default=None, description="Why it is not available, and how to change that.")
    types: tuple[GenerationType, ...] = ("video",)
    negative_prompt: bool = False
    image_input: bool = Field(default=False, description="Whether a video can start from an image.")
    last_frame: bool = Field(default=False, description="Whether a video can end with an image.")
    last_frame_alone: bool = Field(
        default=False, description="Whether it can without another image to start from. False: it needs both."
    )
    extend: bool = Field(
        default=False, description="Whether it can go on from a finished video; every engine that takes an image can."
    )
    exact_progress: bool = True
    resume: bool = False
    visitor_account: bool = Field(
        default=False, description="Whether it renders on the own account of whoever has signed in, who pays for it."
    )


class ExplainRequest(Model):
    """What `POST /engines/{id}/explain` takes: a request as in `POST /generations`, which is not submitted."""

    type: GenerationType = "video"
    prompt: Text = Field(
        default="", description="What the video or image should show.", examples=["a cat in the snow at night"]
    )
    negative_prompt: Text = ""
    settings: PlainObject = Field(default_factory=dict, description="As in `POST /generations`.")
    input_file_id: Text | None = Field(default=None, description="An image of this session to start from.")
    last_frame_file_id: Text | None = Field(default=None, description="An image of this session to end with.")
    extend: Text | None = Field(default=None, description="A finished video of this session to go on from.")


class Explanation(Model):
    """What an engine would make of a request. What is not known is null."""

    understanding: Understanding | None = Field(default=None, description="Null where the engine gives none.")
    shots: tuple[Shot, ...] = Field(
        default=(), description="The parts of a video of several shots or of an extension, as in `Generation`."
    )
    expected_seconds: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="From the start of the renderer to the result, from measured renders of the same kind on this "
        "server; else as the engine expects it. It does not contain the time in the queue.",
    )
    cost: Cost | None = None
    quota: Quota | None = Field(default=None, description="What is left of the engine's quota; null: it has none.")
    width: int | None = Field(default=None, description="Pixels of the result.")
    height: int | None = Field(default=None, description="Pixels of the result.")
