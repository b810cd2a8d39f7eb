"""The vocabulary of engines: what the world is told of those on offer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from videogen.schemas.base import Model
from videogen.schemas.generations import GenerationType


class PresetInfo(Model):
    """A named, good set of prompt and settings: fields of a request that may be sent as they are."""

    id: str = Field(description="Unique within its engine.")
    title: str
    prompt: str
    negative_prompt: str = ""
    type: GenerationType = "video"
    settings: dict[str, Any] = Field(default_factory=dict)
    poster_url: str | None = Field(default=None, description="A small picture of what comes of it.")


class EngineInfo(Model):
    """An engine as `GET /engines` tells it."""

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
    """The engines on offer."""

    items: list[EngineInfo]


class Capabilities(Model):
    """What an engine can do here and now."""

    available: bool = True
    reason: str | None = Field(default=None, description="Why it is not available, and what to do about it.")
    types: tuple[GenerationType, ...] = ("video",)
    negative_prompt: bool = False
    image_input: bool = False
    exact_progress: bool = True
    resume: bool = False
