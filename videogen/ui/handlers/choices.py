"""What a visitor chooses for the page itself, and the help."""

from __future__ import annotations

from dataclasses import asdict

from videogen.ui.choices import Choices
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.panels.masthead import KEYS
from videogen.ui.tab import Dialog, Tab


@handles("choose")
async def choose(tab: Tab, click: Click) -> None:
    """Change one choice: `name` is its name, `value` the new one. `why`: the browser does not allow it."""
    tab.choices = Choices.read({**asdict(tab.choices), click.text("name"): click.data.get("value")})
    words = tab.texts.gettext("alert.refused") if click.text("why") else ""
    # The switches show their state by themselves: the open dialog is rendered again only for other words.
    if tab.dialog is not None and tab.dialog.name == "help" and tab.dialog.values["message"] != words:
        _open_help(tab, words)


@handles("help")
async def show_help(tab: Tab, _click: Click) -> None:
    """Open what explains the app, its keys and its alerts."""
    _open_help(tab, "")


def _open_help(tab: Tab, words: str) -> None:
    tab.dialog = Dialog(
        "help", {**asdict(tab.choices), "message": words, "table": [(key, about) for key, about, _ in KEYS]}
    )
