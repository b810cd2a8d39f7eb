"""A copy of everything, and what became of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def archive(tab: Tab) -> Mapping[str, Any]:
    """`busy`: a zip is being sent."""
    return {"busy": tab.import_to is not None, "message": tab.import_words}
