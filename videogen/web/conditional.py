"""Conditional requests (RFC 9110): a response without a body if nothing has changed."""

from __future__ import annotations

from fastapi import Request


def not_modified(request: Request, etag: str) -> bool:
    """Whether the browser has the same bytes already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
