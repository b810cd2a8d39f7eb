"""What the browser is told: plain JSON values, worded here, put into the page by the scripts in `assets`."""

from __future__ import annotations

from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson
import segno

from videogen.naming import file_name
from videogen.schemas import Generation, GenerationPage, Status, Understanding
from videogen.travel_schemas import Transfer
from videogen.ui import texts
from videogen.ui.board import Board

Link = Literal["live", "reconnecting"]
View = dict[str, Any]


def room(board: Board) -> View:
    """Everything that moves: the generation on the stage, and the strip of those still to come."""
    selected, places = board.selected, board.variations()
    return {
        "selected": _stage(selected, cancelling=selected.id in board.cancelling) if selected else None,
        "active": [
            _active(item, places.get(item.id, ""), cancelling=item.id in board.cancelling) for item in board.active()
        ],
        "loaded": board.loaded,
    }


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


_MOVING: Final = ("progress", "stage", "step", "eta", "picture")


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


def _status(generation: Generation, *, cancelling: bool) -> str:
    if cancelling and not generation.status.is_terminal:
        return texts.CANCELLING
    if _is_missing(generation):
        return texts.MISSING
    return texts.STATUS[generation.status]


def _stage(generation: Generation, *, cancelling: bool) -> View:
    ended = generation.status.is_terminal
    done = generation.status is Status.COMPLETED and not _is_missing(generation)
    return {
        "id": generation.id,
        "status": generation.status.value,
        "missing": _is_missing(generation),
        "statusText": _status(generation, cancelling=cancelling),
        "progress": round(generation.progress, 1),
        "estimated": generation.estimated,
        "stage": texts.stage(generation),
        "step": texts.step(generation),
        "eta": texts.eta(generation),
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
        "reading": _reading(generation.understanding),
        "facts": _facts(generation),
        "recipe": _recipe(generation),
    }


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


def _reading(understanding: Understanding | None) -> View | None:
    """What the engine made of the prompt; None where it does not tell."""
    if understanding is None:
        return None
    return {
        "note": texts.UNDERSTOOD_NOTHING if understanding.abstract else texts.UNDERSTOOD,
        "understood": [[found.phrase, found.became] for found in understanding.understood],
        "ignored": list(understanding.ignored),
        "ignoredLabel": texts.NOT_UNDERSTOOD,
    }


def _facts(generation: Generation) -> list[list[str]]:
    """What is known about it, as pairs of name and value."""
    pairs = [
        ["Size", f"{generation.width} × {generation.height}"],
        ["Length", f"{texts.length(generation.duration_seconds)} at {generation.fps} fps" if generation.fps else ""],
        ["Seed", str(generation.seed)],
        ["Engine", f"{generation.engine} {generation.engine_version}".strip()],
        ["File", texts.size(generation.size_bytes)],
        ["Left out", generation.negative_prompt],
    ]
    return [pair for pair in pairs if pair[1]]


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
    }


def _active(generation: Generation, variation: str, *, cancelling: bool) -> View:
    return {
        "id": generation.id,
        "status": generation.status.value,
        "statusText": _status(generation, cancelling=cancelling),
        "detail": texts.stage(generation) if generation.status is Status.QUEUED else texts.eta(generation),
        "progress": round(generation.progress, 1),
        "prompt": generation.title or generation.prompt,
        "variation": variation,
    }


def transfer(made: Transfer, base: str) -> View:
    """A code for another device. `base` is the page's address as this browser knows it."""
    link = f"{base}/#{urlsplit(made.url).fragment}" if base.startswith(("http://", "https://")) else made.url
    return {
        "code": made.code,
        "expiresAt": made.expires_at.isoformat(),
        "qr": segno.make_qr(link, error="m").svg_data_uri(scale=4, border=2),
        "hint": texts.transfer_hint(link),
    }
