"""The banner on what goes soon: its time is over, or the storage is almost full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from videogen.schemas.retention import Going
from videogen.ui.tab import Tab


def expiring(tab: Tab) -> Mapping[str, Any]:
    """Nothing where nothing goes soon."""
    kept, texts, notes = tab.retention, tab.texts, []
    if kept is not None and kept.soon:
        first = kept.soon[0]
        key = "keep.goes" if len(kept.soon) == 1 else "keep.go"
        values = {"name": texts.short(first.title, 60), "time": texts.moment(first.expires_at)}
        notes.append((texts.gettext(key, count=len(kept.soon), **values), _ids(kept.soon)))
    if kept is not None and (full := kept.almost_full) is not None:
        values = {"name": texts.short(full.first[0].title, 60), "percent": str(full.percent)}
        key = "keep.full_server" if full.of == "server" else "keep.full_session"
        notes.append((texts.gettext(key, count=len(full.first), **values), _ids(full.first)))
    return {"notes": notes}


def _ids(items: Sequence[Going]) -> str:
    return " ".join(one.id for one in items)
