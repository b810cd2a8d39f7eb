"""What the browser is told: plain JSON values, worded here, put into the page by the scripts in `assets`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson
import segno

from videogen.core.text import file_name
from videogen.schemas.generations import Generation, GenerationPage, Understanding
from videogen.schemas.portability import Transfer
from videogen.schemas.status import Status
from videogen.ui.board import Board
from videogen.ui.schema import COMFORTABLE
from videogen.ui.texts import Texts

Link = Literal["live", "reconnecting"]
View = dict[str, Any]


def room(board: Board, texts: Texts) -> View:
    """Everything that moves: the generation on the stage, and the strip of those still to come."""
    selected, places = board.selected, board.variations()
    return {
        "selected": _stage(selected, texts, cancelling=selected.id in board.cancelling) if selected else None,
        "active": [
            _active(item, texts, cancelling=item.id in board.cancelling)
            | {"variation": texts.variation(places.get(item.id))}
            for item in board.line()
        ],
        "ended": [ended(item) for item in board.ended],
        "now": int(time.time() * 1000),
        "loaded": board.loaded,
    }


def ended(generation: Generation) -> View:
    """What is passed on to those who look elsewhere; `at` is in milliseconds since the epoch."""
    return {
        "id": generation.id,
        "status": generation.status.value,
        "type": generation.type,
        "prompt": generation.title or generation.prompt,
        "at": int((generation.finished_at or generation.updated_at).timestamp() * 1000),
    }


def away(items: Sequence[Generation], *, more: bool) -> View:
    """What has ended while nobody looked, newest first; with `more` it is more than is told."""
    done = [item for item in items if item.status is Status.COMPLETED]
    newest = next(iter(done or items), None)
    return {
        "done": len(done),
        "failed": len(items) - len(done),
        "more": more,
        "newest": newest.id if newest else None,
        "items": [ended(item) for item in items[:TOLD]],
    }


TOLD: Final = 8
"""So many ends are told one by one."""


def packed(frame: View) -> View:
    """A frame with its parts as JSON texts, the moving fields of the stage in one of their own.

    Gradio's scripts copy a value leaf by leaf, several times for each frame, and its server sends what differs
    from the last frame. So there should be few leaves, and those that stay the same should be apart.
    """
    if not frame.get("selected"):
        return _as_texts(frame)
    still = {key: value for key, value in frame["selected"].items() if key not in _MOVING}
    moving = {key: frame["selected"][key] for key in _MOVING}
    return _as_texts({**frame, "selected": still, "moving": moving})


_MOVING: Final = ("progress", "stage", "step", "times", "picture")


def _as_texts(frame: View) -> View:
    return {
        key: orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value for key, value in frame.items()
    }


def history(page: GenerationPage) -> View:
    """The first page of the history: what has ended, in the API's own words, as far as the browser needs them."""
    ended = [item for item in page.items if item.status.is_terminal]
    told = [item.model_dump(mode="json", by_alias=True, include=_ENTRY) for item in ended]
    return {"items": told, "nextCursor": page.next_cursor}


_ENTRY: Final = {
    *("id", "type", "status", "project_id", "seed", "engine", "prompt", "title", "favorite", "error"),
    *("poster_url", "preview_url", "video_url", "image_url", "duration_seconds", "created_at"),
}


def _status(generation: Generation, texts: Texts, *, cancelling: bool) -> str:
    if cancelling and not generation.status.is_terminal:
        return texts.say("status.cancelling")
    if _is_missing(generation):
        return texts.say("status.missing")
    return texts.status(generation.status)


def _stage(generation: Generation, texts: Texts, *, cancelling: bool) -> View:
    ended = generation.status.is_terminal
    done = generation.status is Status.COMPLETED and not _is_missing(generation)
    return {
        "id": generation.id,
        "status": generation.status.value,
        "missing": _is_missing(generation),
        "statusText": _status(generation, texts, cancelling=cancelling),
        "progress": round(generation.progress, 1),
        "estimated": generation.estimated,
        "stage": texts.stage(generation),
        "step": texts.step(generation),
        "times": _times(generation),
        "attempt": texts.attempt(generation),
        "picture": _picture(generation),
        "video": generation.video_url if done else None,
        "still": generation.file_id if done and generation.type == "image" else None,
        "canAnimate": done and generation.type == "image",
        "download": _download(generation) if done else None,
        "canCancel": not ended and not cancelling,
        "canRetry": ended,
        "prompt": generation.prompt,
        "size": [generation.width, generation.height],
        "reading": _reading(generation.understanding, texts),
        "facts": _facts(generation, texts),
        "recipe": _recipe(generation),
    }


def _times(generation: Generation) -> View | None:
    """Seconds so far and seconds expected, waiting and rendering apart; what is unknown is None."""
    now = datetime.now(UTC)
    since = max((now - generation.updated_at).total_seconds(), 0.0)

    def from_now(told: float | None) -> float | None:
        return None if told is None else round(max(told - since, 0.0), 1)

    def until_now(moment: datetime) -> float:
        return round(max((now - moment).total_seconds(), 0.0), 1)

    begins, left = generation.expected_wait_seconds, generation.eta_seconds
    silent: View = dict.fromkeys(("waited", "begins", "render", "rendering", "left"))
    if generation.status is Status.QUEUED:
        render = None if begins is None or left is None else round(left - begins, 1)
        return silent | {"waited": until_now(generation.created_at), "begins": from_now(begins), "render": render}
    if generation.status is Status.PROCESSING and generation.started_at is not None:
        told = {"rendering": until_now(generation.started_at), "left": from_now(left)}
        return silent | told | {"about": generation.estimated}
    return None


def _is_missing(generation: Generation) -> bool:
    """Whether it has been completed, and its file is gone."""
    return generation.status is Status.COMPLETED and generation.error is not None


def _picture(generation: Generation) -> str | None:
    if _is_missing(generation):
        return None
    if generation.status is not Status.COMPLETED:
        return generation.preview_url
    return generation.image_url or generation.poster_url


def _download(generation: Generation) -> View:
    name = file_name(generation.title or generation.prompt, "mp4" if generation.type == "video" else "png")
    return {"href": generation.video_url or generation.image_url, "name": name}


def _reading(understanding: Understanding | None, texts: Texts) -> View | None:
    """What the engine made of the prompt; None where it does not tell."""
    if understanding is None:
        return None
    return {
        "note": texts.say("job.understood_nothing" if understanding.abstract else "job.understood"),
        "understood": [[found.phrase, found.became] for found in understanding.understood],
        "ignored": list(understanding.ignored),
        "ignoredLabel": texts.say("job.ignored"),
    }


def _facts(generation: Generation, texts: Texts) -> list[list[str]]:
    """What is known about it: what it is in a word of ours, its name, and its value."""
    length = texts.length(generation.duration_seconds)
    values = {
        "size": f"{generation.width} × {generation.height}",
        "length": texts.say("job.length_at", length=length, fps=generation.fps) if generation.fps else "",
        "seed": str(generation.seed),
        "engine": f"{generation.engine} {generation.engine_version}".strip(),
        "file": texts.size(generation.size_bytes),
        "left_out": generation.negative_prompt,
    }
    return [[kind, texts.say(f"job.{kind}"), value] for kind, value in values.items() if value]


def _recipe(generation: Generation) -> View:
    """What the form needs in order to ask for this again; the seed as text, since it may exceed 2**53."""
    return {
        "prompt": generation.prompt,
        "negative": generation.negative_prompt,
        "width": generation.width,
        "height": generation.height,
        "seconds": generation.duration_seconds,
        "fps": generation.fps,
        "seed": str(generation.seed),
        "engine": generation.engine,
        "type": generation.type,
        "inputFileId": generation.input_file_id,
        "settings": {name: value for name, value in generation.settings.items() if name not in COMFORTABLE},
        "hash": generation.recipe_hash,
        "document": _document(generation),
    }


def _document(generation: Generation) -> str:
    """The whole recipe as a person may keep it: the body of a request, and what made it. JSON, indented."""
    told = {
        "type": generation.type,
        "prompt": generation.prompt,
        "negativePrompt": generation.negative_prompt or None,
        "engine": generation.engine,
        "engineVersion": generation.engine_version,
        "settings": generation.settings | {"seed": generation.seed},
        "inputFileId": generation.input_file_id,
        "recipeHash": generation.recipe_hash,
    }
    kept = {name: value for name, value in told.items() if value is not None}
    return orjson.dumps(kept, option=orjson.OPT_INDENT_2).decode()


def _active(generation: Generation, texts: Texts, *, cancelling: bool) -> View:
    return {
        "id": generation.id,
        "status": generation.status.value,
        "statusText": _status(generation, texts, cancelling=cancelling),
        "detail": texts.stage(generation) if generation.status is Status.QUEUED else "",
        "place": generation.queue_position,
        "times": _times(generation),
        "leaving": cancelling,
        "progress": round(generation.progress, 1),
        "prompt": generation.title or generation.prompt,
    }


def transfer(made: Transfer, base: str, texts: Texts) -> View:
    """A code for another device. `base` is the page's address as this browser knows it."""
    link = f"{base}/#{urlsplit(made.url).fragment}" if base.startswith(("http://", "https://")) else made.url
    return {
        "code": made.code,
        "expiresAt": made.expires_at.isoformat(),
        "qr": segno.make_qr(link, error="m").svg_data_uri(scale=4, border=2),
        "hint": texts.transfer_hint(link),
    }
