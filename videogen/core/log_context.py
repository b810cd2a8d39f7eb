"""What the lines of a log are about: the request, session and generation of the thread or task that writes them."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar

_fields: ContextVar[dict[str, object] | None] = ContextVar("_fields", default=None)


def begin_context(**fields: object) -> dict[str, object]:
    """Begin a context for this thread or task, and all that it starts; return its fields, which may be changed."""
    _fields.set(fields)
    return fields


def add_context(**fields: object) -> None:
    """Add fields to the context of this thread or task, if it has one; threads that work for it share it."""
    if (own := _fields.get()) is not None:
        own.update(fields)


def current_context() -> dict[str, object]:
    """The fields of this thread or task."""
    return _fields.get() or {}


def hashed(session_id: str) -> str:
    """What stands for a session in a log: the same for the same session, and of no other use."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:16]
