"""The session's queued and running generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.amounts import percent
from videogen.ui.tab import Tab


def queue(tab: Tab) -> Mapping[str, Any]:
    """One line for each, in the order of service; `movable`: there is something to be moved before or behind."""
    line = tab.board.line()
    waiting = [item.id for item in line if item.status is Status.QUEUED]
    return {
        "paused": tab.board.is_paused,
        "movable": len(waiting) > 1,
        "waiting": len(waiting),
        "items": [_line(tab, item, waiting) for item in line],
    }


def _line(tab: Tab, item: Generation, waiting: list[str]) -> Mapping[str, Any]:
    queued, name = item.status is Status.QUEUED, item.title or item.prompt
    return {
        "id": item.id,
        "status": item.status.value,
        "name": name,
        "short": tab.texts.short(name),
        "picture": item.preview_url,
        "queued": queued,
        "first": waiting[:1] == [item.id],
        "last": waiting[-1:] == [item.id],
        "note": _note(tab, item),
        "progress": round(item.progress, 1),
        "cancelling": item.id in tab.board.cancelling,
        "selected": item.id == tab.board.selected_id,
    }


def _note(tab: Tab, item: Generation) -> str:
    """Place and start of one that waits; percent and rest of one that is rendered."""
    texts, left, wait = tab.texts, item.eta_seconds, item.expected_wait_seconds
    if item.id in tab.board.cancelling:
        return texts.gettext("status.cancelling")
    if item.needs_attention:
        return texts.gettext("status.needs_attention")
    if item.status is Status.QUEUED:
        notes = [texts.stage(item), texts.begins(wait)]
    else:
        notes = [percent(texts, item) or texts.stage(item), texts.left(left)]
    return " · ".join(filter(None, notes))
