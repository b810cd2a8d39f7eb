"""What the browser's scripts are given with each frame: data for what only a browser can do. Never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from time import time
from typing import Any, Final
from urllib.parse import quote

import orjson

from videogen.core.i18n import DEFAULT, catalog
from videogen.core.text import shorten
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.address import build, outer
from videogen.ui.amounts import label, percent
from videogen.ui.tab import Tab
from videogen.ui.templating import render
from videogen.ui.texts import TITLE, Texts

TITLE_CHARS: Final = 40


def signals(tab: Tab) -> Mapping[str, Any]:
    """The values by name; `static/page.js` calls the scripts of those that have changed.

    `session`: the token, until the browser has shown that it knows it, and whether its cookie must be replaced.
    `compare`: the ids of those whose videos play in step in the dialog.
    `address`: see `static/address.js`; None until it is known.
    `title`, `icon`: the tab's title, and the address of its icon while something renders. `ended`: what has ended since
    the page was opened, and what needs attention.
    `choices`: see `Choices`. `now`: seconds since 1970, not before the last end that is shown.
    `download`: the address of what is to be downloaded. `import_to`: where the chosen zip is to be sent.
    `presets`: the person's own presets, which the browser is to store.
    `most_bytes`: how large a file for the form may be.
    """
    dialog = tab.dialog
    running = next((item for item in tab.board.working().values() if item.status is Status.PROCESSING), None)
    return {
        "title": title(tab),
        "icon": None if running is None else icon(running),
        "ended": [
            *(_alert(tab, item) for item in tab.board.ended if item.status is not Status.CANCELLED),
            *(_alert(tab, item) for item in tab.board.active() if item.needs_attention),
        ],
        "choices": asdict(tab.choices),
        "now": max(
            [int(time()) // 2 * 2, *(item.finished_at.timestamp() for item in tab.board.ended if item.finished_at)]
        ),
        "session": None if tab.proven or tab.token is None else {"token": tab.token, "adopt": tab.adopt},
        "link": tab.link,
        "compare": [pane["id"] for pane in dialog.values["panes"]] if dialog and dialog.name == "compare" else None,
        "address": _address(tab) if tab.history.loaded else None,
        "download": tab.download,
        "import_to": tab.import_to,
        "presets": tab.presets_text and orjson.Fragment(tab.presets_text),
        "most_bytes": tab.site.max_upload_bytes,
    }


def _address(tab: Tab) -> Mapping[str, Any]:
    address = tab.address()
    # A step is something that can be gone back from; what is typed, and what takes the place of a deleted one, is none.
    step = tab.board.selections + tab.history.steps
    shown = tab.board.selected_id or ""
    # A one-time code may stand in the hash; it leaves the address once it was used, refused or declined.
    place = {"query": build(address), "hash": tab.claim is not None, "outer": outer(address)}
    return {**place, "step": step, "shown": shown}


def title(tab: Tab) -> str:
    """The title of the browser's tab: how far the work is."""
    texts, line = tab.texts, list(tab.board.working().values())
    if parked := [item for item in tab.board.active() if item.needs_attention]:
        return _wanted(texts, parked[0])
    if not line:
        return TITLE
    first, several = line[0], len(line) > 1
    if first.status is Status.PROCESSING:
        done, prompt = percent(texts, first) or label(texts, first), shorten(first.prompt, TITLE_CHARS)
        return texts.gettext("tab.several" if several else "tab.one", done=done, prompt=prompt, number=len(line))
    place, prompt = first.queue_position, shorten(first.prompt, TITLE_CHARS)
    if place is None:
        return texts.gettext("tab.waiting", prompt=prompt)
    return texts.gettext("tab.several_wait" if several else "tab.place", place=place, number=len(line), prompt=prompt)


def icon(item: Generation) -> str:
    """A ring that fills, in steps of 5 %."""
    return _ring(max(2, int(item.progress) // 5 * 5))


@cache
def _ring(percent: int) -> str:
    return "data:image/svg+xml," + quote(render("icon", Texts(catalog(DEFAULT)), percent=percent))


def _wanted(texts: Texts, item: Generation) -> str:
    return texts.gettext("tab.attention", prompt=shorten(item.prompt, TITLE_CHARS))


def _alert(tab: Tab, item: Generation) -> Mapping[str, str]:
    if item.needs_attention:
        title = tab.texts.gettext("status.needs_attention")
        return {"id": item.id, "done": _wanted(tab.texts, item), "title": title, "body": shorten(item.prompt, 120)}
    done, prompt = item.status is Status.COMPLETED, shorten(item.prompt, 120)
    ready = "alert.still_ready" if item.type == "image" else "alert.video_ready"
    return {
        "id": item.id,
        "done": tab.texts.gettext("tab.done" if done else "tab.failed", prompt=shorten(item.prompt, TITLE_CHARS)),
        "title": tab.texts.gettext(ready if done else "alert.failed"),
        "body": prompt,
    }
