"""The selected generation: picture and player, state, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from videogen.core.text import file_name, shorten
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.amounts import label, percent
from videogen.ui.panels import exports, presets
from videogen.ui.panels.attention import attention
from videogen.ui.retention import kept_until
from videogen.ui.tab import Tab

ALT_CHARS: Final = 120
"""Of a prompt, where it is read out."""
MESSAGE_CHARS: Final = 300
"""Of an engine's message on the stage; all of it is in the log."""
SPARE_SECONDS: Final = 60
"""A link that expires sooner is as good as expired."""


def is_missing(item: Generation) -> bool:
    """Whether it was finished, and its file is gone."""
    return item.status is Status.COMPLETED and item.error is not None


def is_done(item: Generation) -> bool:
    """Whether its file can be shown."""
    return item.status is Status.COMPLETED and item.error is None


def stage(tab: Tab) -> Mapping[str, Any]:
    """The preview, the poster or the still, else words."""
    item = tab.board.selected
    if item is None:
        shown = presets.on_stage(tab)
        return {
            "id": None,
            "picture": None,
            "message": "",
            "advice": "",
            "working": False,
            "presets": shown,
            "tiles": (),
        }
    done, ended, picture = is_done(item), item.status.is_terminal, _picture(item)
    video = player(tab) is not None
    kind = "job.preview" if not done else "job.still" if item.type == "image" else "job.poster"
    return {
        "id": item.id,
        "picture": picture,
        # The player over it has a name of its own.
        "alt": "" if video else tab.texts.gettext(kind, prompt=shorten(item.prompt, ALT_CHARS)),
        "video": video,
        "message": "" if picture else shorten(tab.texts.stage(item), MESSAGE_CHARS),
        "advice": _advice(tab, item) if item.status is Status.FAILED else "",
        "working": not ended and not item.needs_attention,
        "tiles": _tiles(tab),
    }


def _picture(item: Generation) -> str | None:
    if is_done(item):
        return item.image_url or item.poster_url
    return None if item.status.is_terminal else item.preview_url


def _tiles(tab: Tab) -> list[Mapping[str, Any]]:
    """The variations side by side, in the order of their numbers."""
    items, texts = tab.board.tiles(), tab.texts
    return [
        {
            "id": item.id,
            "picture": _picture(item),
            "number": texts.gettext("history.variation", number=number, count=len(items)),
            "note": "" if is_done(item) else _progress_note(tab, item),
            "selected": item.id == tab.board.selected_id,
        }
        for number, item in enumerate(items, start=1)
    ]


def _progress_note(tab: Tab, item: Generation) -> str:
    done = percent(tab.texts, item) if item.status is Status.PROCESSING and not item.needs_attention else ""
    return done or _label(tab, item)


def _advice(tab: Tab, item: Generation) -> str:
    """What to do about a failed one."""
    retryable = item.error is not None and item.error.retryable
    return tab.texts.gettext("stage.failed_retry" if retryable else "stage.failed_change")


def player(tab: Tab) -> dict[str, object] | None:
    """The value of the player. A plain dictionary without `meta`: Gradio's server does not download it."""
    item = tab.board.selected
    if item is None or not is_done(item) or item.video_url is None or tab.board.tiles():
        return None
    link = _kept_link(tab, item.video_url)
    return {"path": link, "url": link, "orig_name": f"{item.id}.mp4"}


def _kept_link(tab: Tab, link: str) -> str:
    """The link that the player has, where it leads to the same file and works: another one would load it again."""
    kept, new = urlsplit(tab.playing), urlsplit(link)
    expires = parse_qs(kept.query).get("exp", ["0"])[0]
    works = expires.isdecimal() and int(expires) > time.time() + SPARE_SECONDS
    if (kept.netloc, kept.path) != (new.netloc, new.path) or not works:
        tab.playing = link
    return tab.playing


def job(tab: Tab) -> Mapping[str, Any]:
    """State, stage, step, progress and times."""
    item, texts = tab.board.selected, tab.texts
    if item is None:
        return {
            "id": "",
            "status": "",
            "label": texts.gettext("status.none"),
            "active": False,
            "sound": False,
            "attention": None,
        }
    attempt, begun = tab.board.begun.get(item.id, (1, None))
    # Without news nothing counts on.
    now = datetime.now(UTC) if tab.link == "live" else item.updated_at
    # A job at a service was not started again, but found, at whatever progress it has by now.
    is_exact = (engine := tab.site.engine(item.engine)) is None or engine.exact_progress
    notes = (texts.goes_on(item, begun if attempt == item.attempt and is_exact else None), texts.times(item, now))
    running = item.status is Status.PROCESSING and not item.needs_attention
    done, shown = percent(texts, item) if running else "", shorten(texts.stage(item), MESSAGE_CHARS)
    # The stage says it where there is nothing to see.
    unseen = item.needs_attention or (item.status.is_terminal and not is_done(item))
    quarter, heard = int(item.progress // 25) * 25, "job.said_about" if item.estimated else "job.said"
    return {
        "id": item.id,
        "status": item.status.value,
        "label": _label(tab, item),
        "active": not item.status.is_terminal,
        "progress": round(item.progress, 1),
        "percent": done,
        "progress_text": ", ".join(filter(None, (done, shown))),
        "attention": attention(tab, item),
        "stage": "" if unseen else shown,
        "step": texts.step(item),
        "times": " · ".join(filter(None, notes)),
        "sound": is_done(item) and item.has_audio,
        "heard": texts.gettext(heard, percent=quarter) if running and quarter else "",
    }


def _label(tab: Tab, item: Generation) -> str:
    if item.id in tab.board.cancelling and not item.status.is_terminal:
        return tab.texts.gettext("status.cancelling")
    if item.needs_attention:
        return tab.texts.gettext("status.needs_attention")
    return tab.texts.gettext("status.missing") if is_missing(item) else label(tab.texts, item)


def _can_go_on(tab: Tab, item: Generation) -> bool:
    """Whether an engine makes a longer video of it that is still allowed."""
    engine = tab.site.extender(item.engine) if item.type == "video" else None
    return engine is not None and item.duration_seconds < engine.longest


def actions(tab: Tab) -> Mapping[str, Any]:
    """What can be done with it. Each button carries the generation's id: a click means what was seen."""
    item = tab.board.selected
    if item is None:
        return {"id": None}
    ended, done = item.status.is_terminal, is_done(item)
    until = kept_until(tab, item)
    return {
        "id": item.id,
        "until": "" if until is None else tab.texts.gettext("keep.until", time=tab.texts.moment(until)),
        "together": 0 if tab.board.tiles() else len(tab.board.siblings()),
        "cancelling": item.id in tab.board.cancelling,
        "ended": ended,
        "done": done,
        "retry": ended and not done,
        "log": item.status is Status.FAILED,
        "share": done or not ended,
        "extend": done and _can_go_on(tab, item),
        "animate": done and item.type == "image" and tab.site.animator(item.engine) is not None,
        "end_with": done and item.type == "image" and tab.takes_last,
        "formats": exports.formats(tab) if done and item.type == "video" else (),
        "formats_message": exports.message(tab) if done else "",
        "file": item.video_url or item.image_url,
        "file_name": file_name(item.title or item.prompt, "mp4" if item.type == "video" else "png"),
    }
