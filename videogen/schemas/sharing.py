"""The vocabulary of sharing: what is asked for, and what its owner is told of a link."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import Field

from videogen.schemas.base import Model
from videogen.schemas.generations import GenerationType
from videogen.schemas.status import Status

MAX_SHARE_SECONDS: Final = 10 * 365 * 24 * 3600


class ShareCreate(Model):
    """What `POST /generations/{id}/share` takes. A missing field leaves a link that there is already as it is."""

    expires_in_seconds: int | None = Field(
        default=None, ge=1, le=MAX_SHARE_SECONDS, strict=True, description="From now; null means until it is revoked."
    )
    indexable: bool = Field(default=False, strict=True, description="Whether search engines may list the page.")


class Share(Model):
    """A public link to one generation, as its owner sees it."""

    generation_id: str
    slug: str
    url: str
    views: int = Field(ge=0, description="How often its page was opened by people; previews by machines do not count.")
    indexable: bool
    created_at: datetime
    expires_at: datetime | None
    type: GenerationType
    status: Status
    title: str


class ShareList(Model):
    """The links of a session that hold, newest first."""

    items: list[Share]
