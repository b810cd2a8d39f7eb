"""The banner on what goes soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def expiring(tab: Tab) -> Mapping[str, Any]:
    """Nothing where nothing goes soon."""
    soon = tab.retention.soon if tab.retention is not None else ()
    if not soon:
        return {"text": ""}
    first, texts = soon[0], tab.texts
    key = "keep.goes" if len(soon) == 1 else "keep.go"
    values = {"name": texts.short(first.title, 60), "count": len(soon), "time": texts.moment(first.expires_at)}
    return {"text": texts.gettext(key, **values), "ids": " ".join(one.id for one in soon)}
