"""Health, sessions and their devices, and problem details."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, Field

from videogen.schemas.base import Model

SESSION_COOKIE: Final = "videogen_session"
"""The cookie that holds a browser's session token."""


class Health(Model):
    """The answer of `/healthz`, which needs no session."""

    status: str
    name: str = ""
    version: str = ""
    instance: str = Field(
        default="", description="Identifies the data folder; the same after a restart or on another port."
    )
    queue: str = Field(
        default="running",
        description="`paused` or `draining` by the operator: nothing starts. `drained`: and nothing runs any more.",
    )
    keeps_data: bool = Field(
        default=True, description="Whether what is stored outlives a restart; not so on a Space without snapshots."
    )


class RestoredFrom(Model):
    """The snapshot that an app was restored from, after its disk was lost."""

    snapshot_at: datetime = Field(description="The state of the database is of this time.")
    restored_at: datetime
    complete: bool = Field(description="Nothing had changed after the snapshot; else what came later is lost.")


class SnapshotState(Model):
    """The snapshots of a running app."""

    last_at: datetime | None = Field(description="As of when the last one of this run is.")
    fault: str | None = Field(description="Why the last try failed; it is tried again.")
    files_missing: int = Field(description="Files of a restored snapshot that are not on this disk yet. They play.")


class Readiness(Model):
    """The answer of `/readyz`."""

    status: Literal["ready", "degraded"]
    detail: str | None = Field(default=None, description="Why nothing is rendered for now.")
    queue: str | None = Field(default=None, description="As in `/healthz`; left out while it is running.")
    restored: RestoredFrom | None = None
    snapshots: SnapshotState | None = None


class SessionCreated(Model):
    """A new session. The token is returned only here: the server stores its hash."""

    session_id: str
    token: str


class Device(Model):
    """One device that can open the session: one token."""

    id: str
    name: str = Field(description="Browser and system, or the program; empty where that is not known.")
    created_at: datetime
    last_seen_at: datetime = Field(description="When it last used the session, to within an hour.")
    current: bool = Field(description="Whether this request came from it.")


class DeviceList(Model):
    """The devices of a session, the one that was used last first."""

    items: list[Device]


class LimitInfo(Model):
    """The limit that a request would exceed."""

    name: str = Field(description="Such as `active_per_session`: as in the name of its setting.")
    amount: float = Field(description="How much is allowed: a number of things, or bytes.")
    used: float | None = Field(default=None, description="How much there is already; null where that does not matter.")
    window_seconds: int | None = Field(default=None, description="Within how long, for a rate; else null.")
    retry_after_seconds: int = Field(description="As in the header `Retry-After`.")


class Problem(Model):
    """RFC 9457 problem details, with a stable `code`."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None
    limit: LimitInfo | None = Field(default=None, description="With code `limit_exceeded`, where the limit has a name.")
