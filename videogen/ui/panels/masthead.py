"""The head of the page: name, language, theme, help; and the keys that work anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from videogen.core.i18n import PARAMETER, languages
from videogen.ui.address import build
from videogen.ui.choices import THEMES
from videogen.ui.tab import Tab

KEYS: Final = (
    ("g", "keys.prompt", {"data-press": "#prompt label"}),
    ("/", "keys.search", {"data-press": "#history-search label"}),
    ("Control+Enter", "keys.generate", {"data-press": "#generate", "data-within": "#prompt"}),
    ("p", "keys.play", {"data-press": "#result-video [aria-label^=play-pause]"}),
    ("ArrowRight", "keys.older", {"data-do": "step", "data-by": "1"}),
    ("ArrowLeft", "keys.newer", {"data-do": "step", "data-by": "-1"}),
    ("F2", "keys.entry", {"data-do": "entry"}),
    ("Delete", "keys.delete", {"data-do": "trash"}),
    ("Control+z", "keys.undo", {"data-press": "#undo"}),
    ("x", "keys.cancel", {"data-press": "#cancel"}),
    ("?", "keys.help", {"data-press": "#help-open"}),
    ("Escape", "keys.leave", {"data-press": "#pick-end"}),
)
"""Each key, its words, and what it does: press what a selector finds, or what a click does."""


def masthead(tab: Tab) -> Mapping[str, Any]:
    """Name, languages and theme, and a warning where nothing outlives a restart."""
    address, shown = tab.address(), tab.texts.words.tag
    rest = [pair for pair in address.rest if pair[0] != PARAMETER]
    tongues = [
        (tag, words.name, build(replace(address, rest=(*rest, (PARAMETER, tag)))), tag == shown)
        for tag, words in languages().items()
    ]
    made = {"languages": tongues, "themes": list(THEMES.items()), "theme": tab.choices.theme}
    made |= {"login": tab.site.login, "account": tab.account}
    return made | {"keeps_data": tab.site.keeps_data, "recent_loss": tab.site.recent_loss()}


def keys(tab: Tab) -> Mapping[str, Any]:
    """One invisible element for each key; none where they are switched off."""
    item = tab.board.selected
    shown = [(key, does) for key, _, does in KEYS]
    return {"keys": shown if tab.choices.keys else [], "id": item.id if item and item.status.is_terminal else ""}
