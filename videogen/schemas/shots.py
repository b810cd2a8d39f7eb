"""One shot of a video, made again."""

from __future__ import annotations

from pydantic import Field

from videogen.schemas.base import Model, Text


class ShotRemake(Model):
    """What `POST /generations/{id}/shots/{number}` takes."""

    prompt: Text | None = Field(default=None, description="What it should show now; default: the same.")
    seed: int | None = Field(
        default=None, ge=0, lt=2**53, strict=True, description="Default: with another prompt the same, else a new one."
    )
    followers: bool = Field(
        default=True,
        strict=True,
        description="Whether the shots after it are made again too, so that they go on from it. If not, they stay as "
        "they are, and begin with a cut.",
    )
