"""The tables of webhooks, reports and the operator. As in `tables`, times are seconds since the epoch (UTC)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from videogen.db.columns import number


class WebhookRow(SQLModel, table=True):
    """An address that the events of a session are sent to. Its secret follows from its id and the app's secret."""

    __tablename__ = "webhooks"

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    url: str
    base: str
    """The app's address as the owner knew it, with which links to files begin."""
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: float
    disabled: str | None = None
    """Why nothing is sent any more."""
    last_at: float | None = None
    last_ok_at: float | None = None
    last_status: int | None = None
    last_text: str = ""


class DeliveryRow(SQLModel, table=True):
    """A message for a webhook that was not delivered yet; written in the transaction of the event that it is about."""

    __tablename__ = "deliveries"

    id: str = Field(primary_key=True)
    """The `webhook-id`, the same at each attempt."""
    webhook_id: str = Field(foreign_key="webhooks.id", ondelete="CASCADE", index=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", index=True)
    type: str
    snapshot: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """The columns of the generation as they were."""
    created_at: float
    attempts: int = 0
    next_at: float = Field(index=True)
    """When it is sent next. While a process sends it: when others may, since that process must have died."""


class ReportRow(SQLModel, table=True):
    """What a visitor of a public link reports about its generation."""

    __tablename__ = "reports"

    id: str = Field(primary_key=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", index=True)
    words: str
    created_at: float


class OperatorRow(SQLModel, table=True):
    """What the operator has decided about the whole queue: one row."""

    __tablename__ = "operator_state"

    id: int = Field(default=1, primary_key=True)
    paused: bool = False
    draining: bool = False
    """Until the next start."""


class BanRow(SQLModel, table=True):
    """A session or an address that may make nothing new."""

    __tablename__ = "bans"

    kind: str = Field(primary_key=True)
    """`session` or `address`."""
    target: str = Field(primary_key=True)
    """The id of the session, or the keyed hash of the address."""
    created_at: float


class AuditRow(SQLModel, table=True):
    """One act of the operator, written in its transaction."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=number())
    at: float
    who: str
    act: str
    target: str = ""
    """The id of a generation or a session, or the keyed hash of an address."""


class WorkerRow(SQLModel, table=True):
    """A process that renders. Its row is as old as its last sign of life, in the clock of the database."""

    __tablename__ = "workers"

    id: str = Field(primary_key=True)
    engines: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """What it offers, by the id of the engine: `store.workers.Offer`."""
    seen_at: float


class RemovalRow(SQLModel, table=True):
    """A generation that was deleted, or has ended, and of which files that are not kept may be left.

    It is written in that transaction.
    """

    __tablename__ = "removals"

    generation_id: str = Field(primary_key=True)
    created_at: float


class TicketRow(SQLModel, table=True):
    """What a secret stands for, for some minutes: of a link to a zip, or of a step of a sign-in."""

    __tablename__ = "tickets"

    id: str = Field(primary_key=True)
    """The hash of the secret."""
    session_id: str | None = Field(default=None, foreign_key="sessions.id", ondelete="CASCADE", index=True)
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    expires_at: float


class RateCountRow(SQLModel, table=True):
    """How often something was done in one window of a rate, where several processes count together."""

    __tablename__ = "rate_counts"

    key: str = Field(primary_key=True)
    count: int
    expires_at: float


class InstallationRow(SQLModel, table=True):
    """What all processes of one PostgreSQL database must agree about: one row."""

    __tablename__ = "installation"

    id: int = Field(default=1, primary_key=True)
    key_digest: str
    """Derived from the secret key. It reveals nothing about it."""
