"""The table of exports; one of those of `tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class ExportRow(SQLModel, table=True):
    """A result in another format. Its file, once there is one, is a `FileRow` of the kind `export`."""

    __tablename__ = "exports"
    __table_args__ = (
        Index("ux_exports_format", "generation_id", "format", unique=True),
        Index("ix_exports_status", "status", "created_at"),
    )

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE")
    format: str
    status: str = "queued"
    progress: float = 0.0
    message: str = ""
    version: int = 1
    """Rises with each change: the id of its events."""
    attempt: int = 0
    """Rises with each claim. A worker writes only while the row still has its attempt."""
    lost: int = 0
    """How many processes that made it have died since it was asked for last."""
    lease_until: float = 0.0
    file_id: str | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    error_code: str | None = None
    error_message: str | None = None
    created_at: float
    updated_at: float
    started_at: float | None = None
    finished_at: float | None = None
