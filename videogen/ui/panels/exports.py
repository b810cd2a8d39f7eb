"""The formats that the result on the stage can be had in, and how far each is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.core import i18n as language
from videogen.schemas.exports import KINDS, Export, ExportFormat
from videogen.ui.tab import Tab

NAMES: Final[Mapping[ExportFormat, tuple[str, str]]] = {
    "webm": ("export.webm", "export.webm_hint"),
    "gif": ("export.gif", "export.gif_hint"),
    "png": ("export.png", "export.png_hint"),
}
"""The keys of name and hint of each format."""


def formats(tab: Tab) -> list[Mapping[str, Any]]:
    """One entry for each format: a button that makes it, its progress, or the link to its file."""
    known = {one.format: one for one in tab.exports.items}
    return [_format(tab, wanted, known.get(wanted)) for wanted in KINDS]


def _format(tab: Tab, wanted: ExportFormat, export: Export | None) -> Mapping[str, Any]:
    texts = tab.texts
    name, hint = (texts.gettext(key) for key in NAMES[wanted])
    busy, label = export is not None and not export.has_ended, name
    if export is not None and busy:
        key = "export.making" if export.status == "processing" else "export.waiting"
        label = texts.gettext(key, format=name, percent=int(export.progress))
    elif export is not None and export.error is not None:
        label = texts.gettext("export.again", format=name)
    elif export is not None and export.size_bytes is not None:
        label = texts.gettext("export.ready", format=name, size=texts.size(export.size_bytes))
    url = export.url if export is not None else None
    return {
        "format": wanted,
        "label": label,
        "hint": hint,
        "busy": busy,
        "url": url,
        "file_name": export.name if export is not None else "",
    }


def message(tab: Tab) -> str:
    """What is to be said of the exports in words."""
    sentences = []
    for one in sorted(tab.exports.items, key=lambda one: [*KINDS].index(one.format)):
        name = tab.texts.gettext(NAMES[one.format][0])
        if one.error is not None:
            problem = language.error_message(tab.texts.words, one.error.code, one.error.message)
            sentences.append(tab.texts.gettext("export.failed", format=name, problem=problem))
        elif one.message:
            sentences.append(tab.texts.gettext("export.held", format=name))
        elif one.status == "completed" and one.sound_left_out:
            sentences.append(tab.texts.gettext("export.silent", format=name))
    return " ".join(sentences)
