"""Conditional requests (RFC 9110): answers without a body where nothing has changed."""

from __future__ import annotations

from fastapi import Request


def not_modified(request: Request, etag: str) -> bool:
    """Whether the browser has these very bytes already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in known.split(",")]
