"""Shots of a finished video: make one again."""

from __future__ import annotations

from videogen.client import ApiError
from videogen.client.calls import RemakeOptions
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Dialog, Tab


@handles("remake")
async def remake(tab: Tab, click: Click) -> None:
    """Ask what a shot is to show this time, and whether those after it follow."""
    item = await tab.client.get(click.generation_id)
    tab.board.put(item)
    number, count = click.text("shot", 4), len(item.shots)
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= count):
        return
    values = {"id": item.id, "number": int(number), "has_followers": int(number) < count, "followers": True}
    tab.dialog = Dialog("remake", {**values, "prompt": item.shots[int(number) - 1].prompt, "problem": ""})


@handles("make-shot")
async def make_shot(tab: Tab, click: Click) -> None:
    """Make it again. What was refused stays in the dialog, with the reason."""
    if tab.dialog is None or tab.dialog.name != "remake":
        return
    values, typed = tab.dialog.values, click.text("prompt", 100_000).strip()
    changes: RemakeOptions = {"followers": not values["has_followers"] or bool(click.text("followers"))}
    if typed != values["prompt"]:
        changes["prompt"] = typed
    try:
        made = await tab.client.remake_shot(values["id"], values["number"], **changes)
    except ApiError as refusal:
        shown = {"prompt": typed, "followers": changes["followers"], "problem": tab.texts.refusal(refusal)}
        tab.dialog = Dialog("remake", {**values, **shown})
        return
    tab.board.put(made)
    tab.board.select(made.id)
    tab.close_dialog()
