"""Health, sessions, and problem details."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from videogen.schemas.base import Model


class Health(Model):
    """What `/healthz` tells; anybody may ask."""

    status: str
    name: str = ""
    version: str = ""
    instance: str = Field(default="", description="Names the data this app serves; the same over restarts and ports.")


class SessionCreated(Model):
    """A new session. The token is told once; only its hash is kept."""

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
