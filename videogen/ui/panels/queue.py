"""The session's queued and running generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def queue(tab: Tab) -> Mapping[str, Any]:
    """One line for each, in the order of service."""
    texts, board = tab.texts, tab.board
    return {
        "items": [
            {
                "id": item.id,
                "status": item.status.value,
                "name": item.title or item.prompt,
                "label": texts.status(item.status),
                "progress": item.progress,
                "cancelling": item.id in board.cancelling,
                "selected": item.id == board.selected_id,
            }
            for item in board.line()
        ]
    }
