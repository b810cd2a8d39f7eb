"""The vocabulary of a long history: many generations at once, into the trash, back, or into a zip."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from videogen.schemas.base import Model
from videogen.schemas.generations import ListQuery

MAX_IDS: Final = 1000
"""How many generations one call may name."""


class Chosen(Model):
    """Generations by their ids; one that comes twice counts once."""

    ids: list[Annotated[str, Field(min_length=1, max_length=100, strict=True)]] = Field(
        min_length=1, max_length=MAX_IDS, description="Ids of generations of this session."
    )

    def unique(self) -> list[str]:
        """Each id once, in the order in which they came."""
        return list(dict.fromkeys(self.ids))


class LeftOut(Model):
    """An id with which nothing was done. Another session's and an unknown one look the same."""

    id: str
    code: Literal["not_found", "not_terminal"]


class Trashed(Model):
    """What is in the trash now."""

    ids: list[str] = Field(description="In the trash, by this call or already before; in the order of the request.")
    restorable_until: datetime | None = Field(
        description="Until then all of them can be restored; null where there are none."
    )
    left_out: list[LeftOut]


class Restored(Model):
    """What is in the history now."""

    ids: list[str] = Field(description="In the history, by this call or already before; in the order of the request.")
    left_out: list[LeftOut]


class IdsQuery(ListQuery):
    """What `GET /generations/ids` may be asked for: a filter as of `GET /generations`."""

    limit: int = Field(default=MAX_IDS, ge=1, le=MAX_IDS)


class IdsPage(Model):
    """The ids of one page of the history, newest first."""

    ids: list[str]
    next_cursor: str | None


class Bundle(Model):
    """A zip that is ready to be fetched."""

    url: str = Field(description="Needs no token; holds for a few minutes, and not over a restart of the server.")
    expires_at: datetime
    count: int = Field(description="Videos and pictures in it.")
    size_bytes: int = Field(description="Of these together; the zip is slightly larger.")
