"""What the selected generation was made from: prompt, what was understood of it, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.amounts import price
from videogen.ui.panels.understood import in_words
from videogen.ui.schema import COMFORTABLE
from videogen.ui.tab import Tab
from videogen.ui.texts import Texts

_JOINS: Final = {"picture": "job.join_picture", "cut": "job.join_cut"}


def about(tab: Tab) -> Mapping[str, Any]:
    """Prompt, understanding, facts, and the whole recipe."""
    item = tab.board.selected
    if item is None:
        return {"id": None}
    return {
        "id": item.id,
        "prompt": item.prompt,
        "title": item.title,
        "understanding": item.understanding,
        "phrases": [
            (in_words(part, tab.texts), part.became)
            for part in (item.understanding.understood if item.understanding else ())
        ],
        "shots": shots(tab, item),
        "facts": facts(tab, item),
        "seed": str(item.seed),
        "settings": own_settings(tab, item),
        "hash": item.recipe_hash,
        "recipe": recipe_json(item),
    }


def shots(tab: Tab, item: Generation) -> list[dict[str, Any]]:
    """The shots of a video: when each one begins, what it shows, and how it begins if the motion does not go on."""
    texts = tab.texts
    return [
        {
            "number": number,
            "start": texts.length(shot.start_seconds),
            "prompt": shot.prompt,
            "note": texts.gettext(_JOINS[shot.join]) if shot.join in _JOINS else "",
            "again": item.status == Status.COMPLETED,
        }
        for number, shot in enumerate(item.shots, 1)
    ]


def facts(tab: Tab, item: Generation) -> list[tuple[str, str]]:
    """What is known about it: names and values. The seed stands by itself."""
    texts = tab.texts
    length = (
        texts.gettext("job.length_at", length=texts.length(item.duration_seconds), fps=item.fps) if item.fps else ""
    )
    values = {
        "makes": texts.gettext("form.video" if item.type == "video" else "form.still"),
        "size": f"{item.width} × {item.height}",
        "length": length,
        "engine": f"{item.engine} {item.engine_version}".strip(),
        "started_from": texts.gettext("job.an_image") if item.input_file_id else "",
        "ended_with": texts.gettext("job.an_image") if item.last_frame_file_id else "",
        "extended_from": _kept(texts, item),
        "continued_at": ", ".join(texts.length(shot.start_seconds) for shot in item.shots if shot.join == "picture"),
        "left_out": item.negative_prompt,
        "file": texts.size(item.size_bytes),
        "cost": price(texts, item.cost) if item.cost else "",
        "at_service": item.attention.provider_id if item.attention and item.status.is_terminal else "",
    }
    return [(texts.gettext(f"job.{name}"), value) for name, value in values.items() if value]


def _kept(texts: Texts, item: Generation) -> str:
    """How much of it is a video that was there before."""
    seconds = sum(shot.duration_seconds for shot in item.shots if shot.kept) if item.extends else 0
    return texts.gettext("job.a_video", length=texts.length(seconds)) if seconds else ""


def own_settings(tab: Tab, item: Generation) -> list[tuple[str, str]]:
    """The engine's own settings, named as in the form."""
    engine = tab.site.engine(item.engine)
    known = {one.name: one for one in engine.fields} if engine else {}
    settings = {name: value for name, value in item.settings.items() if name not in COMFORTABLE and value is not None}
    return [
        (known[name].title if name in known else name, _worded(tab, value, known[name].unit if name in known else ""))
        for name, value in settings.items()
    ]


def _worded(tab: Tab, value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return tab.texts.gettext("setting.yes" if value else "setting.no")
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"{text} {unit}".strip()


def recipe_json(item: Generation) -> str:
    """The recipe as a person may keep it: the body of a request, and what made it. JSON, indented."""
    values = {
        "type": item.type,
        "prompt": item.prompt,
        "negativePrompt": item.negative_prompt or None,
        "engine": item.engine,
        "engineVersion": item.engine_version,
        "settings": item.settings | {"seed": item.seed},
        "inputFileId": item.input_file_id,
        "lastFrameFileId": item.last_frame_file_id,
        "extend": item.extends,
        "recipeHash": item.recipe_hash,
    }
    kept = {name: value for name, value in values.items() if value is not None}
    return orjson.dumps(kept, option=orjson.OPT_INDENT_2).decode()
