"""Several results side by side: what the dialog `compare` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

from videogen.core.text import shorten
from videogen.schemas.generations import Generation
from videogen.ui.panels.job import ALT_CHARS, MESSAGE_CHARS, is_done
from videogen.ui.panels.recipe import own_settings
from videogen.ui.tab import Tab
from videogen.ui.texts import Texts

MOST: Final = 8
"""As many as one project has variations."""
TITLE_CHARS: Final = 80


def compare(tab: Tab, items: Sequence[Generation]) -> Mapping[str, Any]:
    """A pane for each, and a row for each setting; those that differ come first."""
    rows = _rows(tab, [_settings(tab, item) for item in items])
    return {
        "panes": [_pane(tab, item, letter) for item, letter in zip(items, ascii_uppercase, strict=False)],
        "videos": sum(is_done(item) and item.video_url is not None for item in items),
        "rows": rows,
        "differences": ", ".join(row["name"] for row in rows if row["differs"]),
    }


def _pane(tab: Tab, item: Generation, letter: str) -> dict[str, Any]:
    shown = is_done(item)
    return {
        "id": item.id,
        "letter": letter,
        "title": shorten(item.title or item.prompt, TITLE_CHARS),
        "alt": tab.texts.gettext("compare.picture", letter=letter, prompt=shorten(item.prompt, ALT_CHARS)),
        "video": item.video_url if shown else None,
        "image": item.image_url if shown else None,
        "poster": item.poster_url if shown else None,
        "message": "" if shown else shorten(tab.texts.stage(item), MESSAGE_CHARS),
        "width": item.width,
        "height": item.height,
    }


def _settings(tab: Tab, item: Generation) -> dict[str, str]:
    """All that it was made from, by names in words."""
    texts = tab.texts
    values = {
        "prompt": item.prompt,
        "negative": item.negative_prompt,
        "seed": str(item.seed),
        "type": texts.gettext("form.video" if item.type == "video" else "form.still"),
        "size": f"{item.width} × {item.height}",
        "length": texts.length(item.duration_seconds) if item.duration_seconds else "",
        "fps": str(item.fps or ""),
        "image": _image(texts, item.input_file_id),
        "last_frame": _image(texts, item.last_frame_file_id),
        "engine": item.engine,
        "version": item.engine_version,
    }
    return {texts.gettext(f"compare.{name}"): value for name, value in values.items()} | dict(own_settings(tab, item))


def _image(texts: Texts, file_id: str | None) -> str:
    return f"{texts.gettext('job.an_image')} ({file_id})" if file_id else ""


def _rows(tab: Tab, settings: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    none = tab.texts.gettext("compare.none")
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(name for one in settings for name in one):
        values = [one.get(name) or none for one in settings]
        if set(values) != {none}:
            rows.append({"name": name, "values": values, "differs": len(set(values)) > 1})
    return sorted(rows, key=lambda row: not row["differs"])
