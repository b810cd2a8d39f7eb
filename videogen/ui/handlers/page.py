"""The notice and the dialog."""

from __future__ import annotations

from videogen.ui.away import away_notice
from videogen.ui.handlers.registry import HANDLERS, Click, handles
from videogen.ui.pages import read_moment
from videogen.ui.tab import Tab


@handles("close-notice")
async def close_notice(tab: Tab, _click: Click) -> None:
    """Take the message away."""
    tab.notice = None


@handles("close-dialog")
async def close_dialog(tab: Tab, _click: Click) -> None:
    """Close what is open."""
    tab.close_dialog()


@handles("back")
async def back(tab: Tab, click: Click) -> None:
    """Somebody looks at the page again: say what has ended since, unless something else stands there.

    No event says what was renamed or deleted elsewhere, so the history and what is on the stage are read again.
    """
    tab.history.outdated.set()
    if tab.board.selected_id:
        await tab.fetch(tab.board.selected_id)
    if tab.notice is None:
        tab.notice = away_notice(tab, read_moment(click.data.get("since")))


@handles("step")
async def step(tab: Tab, click: Click) -> None:
    """Put the next older (`by` 1) or newer (`by` -1) entry of the history on the stage."""
    names = [item.id for item in tab.history.items]
    by = 1 if click.text("by") == "1" else -1
    place = names.index(tab.board.selected_id) + by if tab.board.selected_id in names else 0
    if 0 <= place < len(names):
        await HANDLERS["select"](tab, Click({"generationId": names[place]}))
