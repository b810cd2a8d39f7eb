"""The tables of what opens a session: accounts of people who have signed in, one-time codes and links, merges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel


class AccountRow(SQLModel, table=True):
    """One person at an OpenID provider, who has signed in here. Its session has its id; see `SessionRow.account_id`."""

    __tablename__ = "accounts"
    __table_args__ = (Index("ux_accounts_subject", "issuer", "subject", unique=True),)

    id: str = Field(primary_key=True)
    issuer: str
    subject: str
    """The provider's id of the person; unlike the names it never changes."""
    username: str
    name: str
    picture: str = ""
    organisations: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    """Their names, as the provider gave them at the last sign-in."""
    created_at: float
    last_seen_at: float
    """When the person last signed in."""


class LoginLinkRow(SQLModel, table=True):
    """A link with which a page's own session can sign in, in another tab. Valid for minutes and once, as a hash."""

    __tablename__ = "login_links"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", ondelete="CASCADE")
    device_id: str = Field(foreign_key="devices.id", ondelete="CASCADE", index=True)
    secret_hash: str = Field(unique=True)
    expires_at: float


class VisitorTokenRow(SQLModel, table=True):
    """What one sign-in allows: an access token of the account, with which engines render on it. It goes with the
    device."""

    __tablename__ = "visitor_tokens"

    device_id: str = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    account_id: str = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True)
    sealed: str
    """The tokens, encrypted with a key from the app's secret key."""
    created_at: float


class TransferRow(SQLModel, table=True):
    """A one-time code that was not used yet. The code and the link's secret are stored as keyed hashes only."""

    __tablename__ = "transfers"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", ondelete="CASCADE")
    code_hash: str = Field(unique=True)
    secret_hash: str = Field(unique=True)
    expires_at: float


class MergeRow(SQLModel, table=True):
    """A session that is no more: all that it had belongs to another one."""

    __tablename__ = "merges"

    id: str = Field(primary_key=True)
    """The id of the session that is gone."""
    into_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
