"""What may be asked about the line."""

from __future__ import annotations

from pydantic import Field

from videogen.schemas import Model


class GenerationMove(Model):
    """What `POST /generations/{id}/move` takes."""

    before: str | None = Field(
        max_length=100, description="The id of a queued generation of this session; null: after all of them."
    )
