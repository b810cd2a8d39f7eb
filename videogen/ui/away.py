"""What has ended while nobody of a browser looked."""

from __future__ import annotations

from videogen.schemas.status import Status
from videogen.ui.tab import Notice, Tab


def away_notice(tab: Tab, since: float) -> Notice | None:
    """A message about what has completed or failed since then; None where nothing has.

    Args:
        tab: whose history is known.
        since: seconds since 1970 by the server's clock, when the page was last looked at; 0: never.
    """
    items = [item for item in tab.board.history() if item.status is not Status.CANCELLED and item.finished_at]
    missed = [item for item in items if item.finished_at and since and item.finished_at.timestamp() > since]
    done = [item for item in missed if item.status is Status.COMPLETED]
    counts = (("away.finished", len(done)), ("away.failed", len(missed) - len(done)))
    parts = [tab.texts.gettext(key, count=count) for key, count in counts if count]
    if not parts:
        return None
    newest = (done or missed)[0].id
    return Notice(
        tab.texts.gettext("away.text", what=", ".join(parts)), show=newest if newest != tab.board.selected_id else ""
    )
