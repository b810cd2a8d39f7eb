"""What a visitor chooses for the page itself, and the help."""

from __future__ import annotations

from dataclasses import asdict

from videogen.ui.choices import Choices
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Dialog, Tab


@handles("choose")
async def choose(tab: Tab, click: Click) -> None:
    """Change one choice: `name` is its name, `value` the new one. `why` explains why a switch stays off."""
    tab.choices = Choices.read({**asdict(tab.choices), click.text("name"): click.data.get("value")})
    why = click.text("why")
    tab.alert_words = tab.texts.say(f"alert.{why}") if why in ("refused", "framed", "missing") else ""


@handles("help")
async def show_help(tab: Tab, _click: Click) -> None:
    """Open what explains the app, its keys and its alerts."""
    tab.dialog = Dialog("help")
