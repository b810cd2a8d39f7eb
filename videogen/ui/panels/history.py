"""What has ended: its filters, one page of it, and what is selected in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.address import Filters
from videogen.ui.board import variations
from videogen.ui.panels.compare import MOST
from videogen.ui.tab import Tab

CHIPS: Final = (
    ("favorite", "true", "history.favourites"),
    ("type", "video", "history.videos"),
    ("type", "image", "history.stills"),
    ("status", "completed", "history.finished"),
    ("status", "failed", "history.failed"),
    ("status", "cancelled", "history.cancelled"),
)
"""The filters with a fixed choice: name, value, word."""


def filters(tab: Tab) -> Mapping[str, Any]:
    """What can be looked for; of the engines those that are met here, where there are several."""
    wanted = tab.history.filters
    engines = {item.engine for item in tab.history.items} | ({wanted.engine} - {""})
    chips = [(name, value, tab.texts.gettext(word)) for name, value, word in CHIPS]
    if len(engines) > 1 or wanted.engine:
        titles = {one.id: one.title for one in tab.site.engines}
        chips += [("engine", engine, titles.get(engine, engine)) for engine in sorted(engines)]
    on = wanted.texts()
    return {
        "chips": [(name, value, label, on.get(name) == value) for name, value, label in chips],
        "picking": tab.history.picked is not None,
    }


def history(tab: Tab) -> Mapping[str, Any]:
    """One page, newest first. The values are the same object until something has changed."""
    now = datetime.now(UTC)
    # Ages are to the minute.
    key = (tab.history.version, tab.board.selected_id, now.replace(second=0, microsecond=0), tab.texts)
    if tab.history.rendered is None or tab.history.rendered[0] != key:
        tab.history.rendered = (key, _page(tab, now))
    return tab.history.rendered[1]


def _page(tab: Tab, now: datetime) -> Mapping[str, Any]:
    shown, texts = tab.history, tab.texts
    places = variations({item.id: item for item in (*tab.board.active(), *shown.items)}.values())
    entries = [_entry(tab, item, now) | {"variation": texts.variation(places.get(item.id))} for item in shown.items]
    return {
        "loaded": shown.loaded,
        "picking": shown.picked is not None,
        "items": entries,
        "why_empty": "" if entries else _why_empty(tab),
        "filtered": shown.filters != Filters(),
        "found": _found(tab) if entries else "",
        "older": shown.next_cursor is not None,
        "newer": shown.before != "",
    }


def _entry(tab: Tab, item: Generation, now: datetime) -> dict[str, Any]:
    texts, picked = tab.texts, tab.history.picked
    name, missing = item.title or item.prompt, item.status is Status.COMPLETED and item.error is not None
    badge = "" if item.status is Status.COMPLETED else texts.status(item.status)
    length = ""
    if item.status is Status.COMPLETED:
        length = texts.gettext("history.still") if item.type == "image" else texts.length(item.duration_seconds)
    return {
        "id": item.id,
        "status": item.status.value,
        "name": texts.short(name, 160),
        "short": texts.short(name, 60),
        "poster": item.poster_url or item.image_url or item.preview_url,
        "badge": texts.gettext("status.missing") if missing else badge,
        "length": "" if missing else length,
        "at": item.created_at.isoformat(),
        "moment": texts.moment(item.created_at),
        "age": texts.age(item.created_at, now),
        "until": until(tab, item),
        "favorite": item.favorite,
        "selected": item.id == tab.board.selected_id and picked is None,
        "picked": picked is not None and item.id in picked,
    }


def until(tab: Tab, item: Generation) -> str:
    """Until when an entry is kept, and whether it goes sooner in a full storage."""
    kept, texts = tab.retention, tab.texts
    full = kept.almost_full if kept is not None else None
    words = [] if item.expires_at is None else [texts.gettext("keep.until", time=texts.moment(item.expires_at))]
    if full is not None and any(one.id == item.id for one in full.first):
        words.append(texts.gettext("keep.first"))
    return " · ".join(words)


def _why_empty(tab: Tab) -> str:
    """Why there is no entry."""
    if not tab.history.loaded:
        return ""
    if tab.history.before:
        return tab.texts.gettext("history.no_older")
    if tab.history.filters.q:
        return tab.texts.gettext("history.none_of", words=tab.history.filters.q)
    return tab.texts.gettext("history.empty" if tab.history.filters == Filters() else "history.none")


def _found(tab: Tab) -> str:
    """How many match; nothing where nothing is looked for, or where that is not known."""
    shown = tab.history
    if shown.filters == Filters() or shown.before:
        return ""
    if shown.next_cursor is not None:
        return tab.texts.gettext("history.found_more", number=len(shown.items))
    return tab.texts.gettext("history.found", count=len(shown.items))


def selection(tab: Tab) -> Mapping[str, Any]:
    """What can be done with the selected ones."""
    shown = tab.history
    if shown.picked is None:
        return {"count": None}
    all_here = bool(shown.items) and all(item.id in shown.picked for item in shown.items)
    return {
        "count": len(shown.picked),
        "comparable": 2 <= len(shown.picked) <= MOST,
        "all_here": all_here,
        "more": shown.next_cursor is not None or shown.before != "",
        "filtered": shown.filters != Filters(),
    }
