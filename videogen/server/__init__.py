"""Builds the app and runs it."""

from __future__ import annotations

from videogen.server.app import create_app
from videogen.server.run import serve

__all__ = ["create_app", "serve"]
