"""What the operator sees and does: the overview, the audit log, bans."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from videogen.schemas.base import Model

QueueState = Literal["running", "paused", "draining", "drained"]
WaitsFor = Literal["operator", "owner", "disk", "engine", "slot", "turn"]


class AdminGeneration(Model):
    """A generation that runs or waits, of any session."""

    id: str
    session_id: str
    address_hash: str | None = Field(description="The visitor's address, as a keyed hash.")
    type: str
    engine: str
    status: str
    stage: str
    message: str
    prompt: str
    progress: float
    attempt: int
    queue_position: int | None
    waits_for: WaitsFor | None = Field(
        description="Why it waits: `operator` (the whole queue is held), `owner` (its session's queue is paused), "
        "`disk` (too little space), `engine` (it cannot render here), `slot` (all its renderers are busy), `turn`."
    )
    created_at: datetime
    started_at: datetime | None


class AdminOutcomes(Model):
    """How the generations of an engine have ended within some time."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    error_rate: float | None = Field(default=None, description="Failed of completed and failed; null without any.")
    codes: dict[str, int] = Field(default_factory=dict, description="The codes of the errors, with their number.")


class AdminEngine(Model):
    """An engine, what it does now, and how it did."""

    id: str
    title: str
    available: bool
    reason: str | None
    slots: int | None = Field(description="How many generations it renders at once; null where nothing says it.")
    running: int
    waiting: int
    hour: AdminOutcomes
    day: AdminOutcomes


class AdminSession(Model):
    """What a session has made and keeps."""

    id: str
    banned: bool
    paused: bool
    generations: int
    today: int = Field(description="Submitted in the last 24 hours.")
    active: int
    bytes: int
    files: int
    created_at: datetime
    last_seen_at: datetime | None


class AdminStorage(Model):
    """What is stored, and how much space is left."""

    generations: dict[str, int] = Field(description="By status.")
    sessions: int
    files: int
    bytes: int
    limit_bytes: int | None = Field(description="`VIDEOGEN_MAX_STORAGE_GB`; null without a limit.")
    free_bytes: int
    shortage: str | None = Field(description="Why nothing is rendered for want of space; else null.")


class Ban(Model):
    """A session or an address that may make nothing new."""

    kind: Literal["session", "address"]
    target: str = Field(description="The id of the session, or the keyed hash of the address.")
    at: datetime


class BanList(Model):
    """All bans, the newest first."""

    items: list[Ban]


class AdminFlag(Model):
    """A generation that visitors have reported, or that the moderation hook has flagged."""

    id: str
    session_id: str
    prompt: str
    reports: int = Field(description="0: it was flagged.")
    words: str
    slug: str | None = Field(description="Of its public link, `/s/{slug}`; null where it has none.")


class FlagList(Model):
    """What visitors have reported, then what the moderation hook has flagged; at most 20 of each, the newest first."""

    items: list[AdminFlag]


class Overview(Model):
    """What goes on, of all sessions. It has prompts, and neither tokens nor addresses."""

    at: datetime
    queue: QueueState
    paused: bool = Field(description="Nothing starts, also after a restart.")
    draining: bool = Field(description="Nothing starts until the next start of the server.")
    active: list[AdminGeneration] = Field(description="What runs, then what waits, the next first; at most 200.")
    running_count: int
    waiting_count: int
    engines: list[AdminEngine]
    storage: AdminStorage
    sessions: list[AdminSession] = Field(description="Those with the most submits of the last 24 hours; at most 50.")
    largest: list[AdminSession] = Field(description="Those that keep the most bytes; at most 10.")
    refused: dict[str, int] = Field(description="Requests answered with an error since the start, by its code.")
    bans: list[Ban]
    flags: list[AdminFlag]


class OperatorQueue(Model):
    """The whole queue."""

    queue: QueueState
    running_count: int


class CancelAsked(Model):
    """What became of a cancel."""

    id: str
    status: str
    changed: bool = Field(description="False: it had ended, or was being cancelled.")


class AuditEntry(Model):
    """One act of the operator."""

    id: int
    at: datetime
    who: str
    act: str
    target: str


class AuditPage(Model):
    """Acts of the operator, the newest first."""

    items: list[AuditEntry]
    next_before: int | None = Field(description="`before` of the next page; null at the end.")


class AuditQuery(Model):
    """Which entries of the audit log."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    before: Annotated[int | None, Field(ge=1, lt=2**63)] = None
