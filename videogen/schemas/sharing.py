"""Public links to generations, as their owner creates and sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import Field

from videogen.schemas.base import Model, Text
from videogen.schemas.generations import GenerationType
from videogen.schemas.status import Status

MAX_SHARE_SECONDS: Final = 10 * 365 * 24 * 3600


class ShareCreate(Model):
    """What `POST /generations/{id}/share` takes. A field that is missing does not change an existing link."""

    expires_in_seconds: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SHARE_SECONDS,
        strict=True,
        description="Seconds from now; null means until it is revoked.",
    )
    indexable: bool = Field(default=False, strict=True, description="Whether search engines may list the page.")


class Share(Model):
    """A public link to one generation, as its owner sees it."""

    generation_id: str
    slug: str
    url: str
    views: int = Field(ge=0, description="How often people opened its page; link previews do not count.")
    indexable: bool
    created_at: datetime
    expires_at: datetime | None
    type: GenerationType
    status: Status
    title: str


class Report(Model):
    """What `POST /reports` takes."""

    slug: Text = Field(min_length=1, max_length=100, description="Of the public link.")
    reason: Text = Field(min_length=3, max_length=1000, description="What is wrong with what it shows.")


class ShareList(Model):
    """The valid links of a session, newest first."""

    items: list[Share]
