"""Operations on many generations at once: trash, restore, zip, and lists of ids."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from videogen.schemas.base import Model, Text
from videogen.schemas.generations import Generation, ListQuery

MAX_IDS: Final = 1000
"""How many ids one call may have."""


class Chosen(Model):
    """Generations by id. An id that is given twice counts once."""

    ids: list[Annotated[Text, Field(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=MAX_IDS, description="Ids of generations of this session."
    )

    def unique(self) -> list[str]:
        """The ids without duplicates, in their order."""
        return list(dict.fromkeys(self.ids))


class LeftOut(Model):
    """An id for which nothing was done. An id of another session and an unknown id look the same."""

    id: str
    code: Literal["not_found", "not_terminal"]


class Trashed(Model):
    """The outcome of moving generations to the trash."""

    ids: list[str] = Field(description="In the trash now, by this call or an earlier one; in the order of the request.")
    restorable_until: datetime | None = Field(
        description="Until when all of them can be restored; null if there are none."
    )
    left_out: list[LeftOut]


class Restored(Model):
    """The outcome of restoring generations from the trash."""

    ids: list[str] = Field(description="In the history now, by this call or before it; in the order of the request.")
    left_out: list[LeftOut]


class TrashQuery(BaseModel):
    """The query parameters of `GET /generations/trash`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: str | None = Field(default=None, max_length=100, description="`nextCursor` of the page before.")
    limit: int = Field(default=24, ge=1, le=100)


class TrashedGeneration(Generation):
    """A generation in the trash. It has no links until it is restored."""

    restorable_until: datetime = Field(description="Until when it can be restored; then it is removed with its files.")


class TrashPage(Model):
    """One page of the trash, in the order of the history: newest first."""

    items: list[TrashedGeneration]
    next_cursor: str | None


class IdsQuery(ListQuery):
    """The query parameters of `GET /generations/ids`: the same filter as of `GET /generations`."""

    limit: int = Field(default=MAX_IDS, ge=1, le=MAX_IDS)


class IdsPage(Model):
    """The ids of one page of the history, newest first."""

    ids: list[str]
    next_cursor: str | None


class Bundle(Model):
    """A zip that is ready for download."""

    url: str = Field(description="Needs no token; valid for a few minutes, until the server restarts at the latest.")
    expires_at: datetime
    count: int = Field(description="How many videos and images it contains.")
    size_bytes: int = Field(description="Size of these files together; the zip is slightly larger.")
