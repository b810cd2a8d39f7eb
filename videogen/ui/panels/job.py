"""The selected generation: picture, state, what can be done with it, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.core.text import file_name
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.tab import Tab


def is_missing(item: Generation) -> bool:
    """Whether it was finished, and its file is gone."""
    return item.status is Status.COMPLETED and item.error is not None


def stage(tab: Tab) -> Mapping[str, Any]:
    """The preview, the poster or the still, else words."""
    item = tab.board.selected
    if item is None:
        return {"item": None, "picture": None, "message": ""}
    done = item.status is Status.COMPLETED
    picture = (item.image_url or item.poster_url) if done else item.preview_url
    if item.status in (Status.FAILED, Status.CANCELLED) or is_missing(item):
        picture = None
    message = tab.texts.stage(item) if picture is None else ""
    alt = tab.texts.say("job.poster" if done else "job.preview", prompt=item.prompt)
    return {"item": item.id, "picture": picture, "alt": alt, "message": message, "video": player(tab) is not None}


def player(tab: Tab) -> dict[str, object] | None:
    """The value of the player. A plain dictionary without `meta`: Gradio's server does not download it."""
    item = tab.board.selected
    if item is None or item.status is not Status.COMPLETED or is_missing(item) or item.video_url is None:
        return None
    return {"path": item.video_url, "url": item.video_url, "orig_name": f"{item.id}.mp4"}


def job(tab: Tab) -> Mapping[str, Any]:
    """State, stage, step, progress and remaining time."""
    item, texts = tab.board.selected, tab.texts
    if item is None:
        return {"id": "", "status": "", "label": texts.say("status.none"), "progress": 0.0}
    cancelling = item.id in tab.board.cancelling and not item.status.is_terminal
    label = texts.say("status.cancelling") if cancelling else texts.status(item.status)
    if is_missing(item):
        label = texts.say("status.missing")
    eta = ""
    if not item.status.is_terminal and item.eta_seconds is not None:
        eta = texts.say("stage.about_left", time=texts.length(round(item.eta_seconds)))
    return {
        "id": item.id,
        "status": item.status.value,
        "label": label,
        "progress": item.progress,
        "running": item.status is Status.PROCESSING,
        "stage": texts.stage(item),
        "step": texts.step(item),
        "attempt": texts.attempt(item),
        "eta": eta,
    }


def actions(tab: Tab) -> Mapping[str, Any]:
    """What can be done with it. Each button carries the generation's id: a click means what was seen."""
    item = tab.board.selected
    if item is None:
        return {"id": None}
    ended = item.status.is_terminal
    done = item.status is Status.COMPLETED and not is_missing(item)
    return {
        "id": item.id,
        "cancelling": item.id in tab.board.cancelling,
        "ended": ended,
        "done": done,
        "retry": ended and not done,
        "still": done and item.type == "image",
        "file": item.video_url or item.image_url,
        "file_name": file_name(item.title or item.prompt, "mp4" if item.type == "video" else "png"),
    }


def about(tab: Tab) -> Mapping[str, Any]:
    """Prompt and recipe."""
    return {"item": tab.board.selected}
