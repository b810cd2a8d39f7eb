"""Health, sessions, and problem details."""

from __future__ import annotations

from typing import Final

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


class SessionCreated(Model):
    """A new session. The token is returned only here: the server stores its hash."""

    session_id: str
    token: str


class Problem(Model):
    """RFC 9457 problem details, with a stable `code`."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None
