"""The page's panels: each is a template and a pure function from a tab's state to the template's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from videogen.ui.panels import (
    account,
    archive,
    expiring,
    history,
    image,
    job,
    masthead,
    page,
    presets,
    prompt,
    queue,
    recipe,
    understood,
)
from videogen.ui.tab import Tab
from videogen.ui.templating import render


@dataclass(frozen=True, slots=True)
class Panel:
    """One place on the page whose HTML is rendered in Python."""

    name: str
    """Of its template, and with `-panel` the id of its element."""
    values: Callable[[Tab], Mapping[str, Any]]
    """The template's variables. Compared with the last ones: the template is rendered only where they differ."""


PANELS: Final = (
    Panel("masthead", masthead.masthead),
    Panel("link", page.link),
    Panel("notice", page.notice),
    Panel("login", account.login),
    Panel("expiring", expiring.expiring),
    Panel("outbox", page.outbox),
    Panel("stage", job.stage),
    Panel("job", job.job),
    Panel("actions", job.actions),
    Panel("about", recipe.about),
    Panel("image", image.image),
    Panel("prompt_count", prompt.prompt_count),
    Panel("queue", queue.queue),
    Panel("engine", understood.engine),
    Panel("understood", understood.understood),
    Panel("presets", presets.presets),
    Panel("filters", history.filters),
    Panel("history", history.history),
    Panel("selection", history.selection),
    Panel("devices", page.devices),
    Panel("archive", archive.archive),
    Panel("keys", masthead.keys),
    Panel("dialog", page.dialog),
)
"""In the order of the watcher's outputs."""


def render_panel(panel: Panel, tab: Tab) -> str:
    """The panel's HTML for the tab as it is now."""
    values = panel.values(tab)
    last = tab.rendered.get(panel.name)
    if last is None or last[0] != values:
        last = tab.rendered[panel.name] = (values, render(panel.name, tab.texts, **values))
    return last[1]


def panel_mark(name: str) -> str:
    """A panel's value in Gradio's configuration, which is made once for everybody; each document has its HTML there."""
    return f"panel:{name}"
