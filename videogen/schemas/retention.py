"""How long things are kept, and how much one may make."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from videogen.schemas.base import Model

Kept = Literal["keep", "same"]


class Going(Model):
    """A generation that is removed for good before others."""

    id: str
    title: str = Field(description="Its title, or else its prompt.")


class Expiring(Going):
    """A generation that goes soon."""

    expires_at: datetime


class AlmostFull(Model):
    """A storage with a limit of which 85 % are filled. From 95 % on, what was used longest ago is removed."""

    of: Literal["session", "server"] = Field(description="Whose limit it is.")
    percent: int = Field(description="How much of the limit is filled.")
    first: tuple[Going, ...] = Field(
        description="What of the session goes first when room is needed, the least recently used first, up to 100."
    )


class Retention(Model):
    """How long what has ended is kept, and what of the session goes next."""

    hours: float | None = Field(default=None, description="From the end, or the last Keep; null: for ever.")
    favorites: Kept = Field(default="keep", description="keep: favourites are kept for ever; same: as long as others.")
    shared: Kept = Field(default="keep", description="The same for what has a public link.")
    soon: tuple[Expiring, ...] = Field(
        default=(),
        description="What goes in the last tenth of its time, at most 24 hours; the next one first, up to 100.",
    )
    almost_full: AlmostFull | None = Field(
        default=None, description="Null while there is room, and where nothing of the session would go."
    )
    next_warning_at: datetime | None = Field(
        default=None, description="When the next one comes to `soon`; null: nothing else is to go."
    )


class Quota(Model):
    """What one may have of an engine, in seconds of video within any 24 hours. An image counts as one second."""

    limit: float
    used: float = Field(description="By this session, or by all from its network address, whichever is more.")
    left: float
    resets_at: datetime | None = Field(description="When more is left than now; null: nothing is used.")


class Quotas(Model):
    """The quotas by engine id. An engine that is not in it has none."""

    engines: dict[str, Quota]
