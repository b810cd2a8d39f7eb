"""The generations that have ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.schemas.status import Status
from videogen.ui.tab import Tab


def history(tab: Tab) -> Mapping[str, Any]:
    """One entry for each, newest first."""
    return {
        "loaded": tab.board.loaded,
        "items": [
            {
                "id": item.id,
                "status": item.status.value,
                "name": item.title or item.prompt,
                "poster": item.poster_url or item.image_url or item.preview_url,
                "badge": "" if item.status is Status.COMPLETED else tab.texts.status(item.status),
                "selected": item.id == tab.board.selected_id,
            }
            for item in tab.board.history()
        ],
    }
