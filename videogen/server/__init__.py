"""Builds the app from its parts, and runs it."""

from __future__ import annotations

from videogen.server.app import create_app
from videogen.server.run import serve

__all__ = ["create_app", "serve"]
