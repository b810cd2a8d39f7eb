"""The table of what counts for quotas; one of those of `tables`."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class QuotaRow(SQLModel, table=True):
    """What a generation has taken of its engine's quota. It counts for a day, whatever becomes of the generation."""

    __tablename__ = "quota_uses"
    __table_args__ = (
        Index("ix_quota_uses_session", "session_id", "engine", "at"),
        Index("ix_quota_uses_address", "address_hash", "engine", "at"),
    )

    generation_id: str = Field(primary_key=True)
    session_id: str
    address_hash: str | None = None
    engine: str
    seconds: float
    at: float
