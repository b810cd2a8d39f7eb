"""Engines as `GET /engines` lists them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from videogen.schemas.base import Model
from videogen.schemas.generations import GenerationType


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
    image_input: bool = False
    exact_progress: bool = True
    resume: bool = False
