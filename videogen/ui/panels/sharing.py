"""Public links as the dialogs show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import segno

from videogen.client.policy import is_loopback
from videogen.core.text import shorten
from videogen.schemas.sharing import Share
from videogen.ui.tab import Tab
from videogen.ui.texts import Texts

LIFETIMES: Final[Mapping[str, int | None]] = {
    "share.never": None,
    "share.hour": 3600,
    "share.day": 24 * 3600,
    "share.week": 7 * 24 * 3600,
    "share.month": 30 * 24 * 3600,
}
"""How long a link may live, in seconds, by the key of its words; None: until it is revoked."""
DAYS: Final = 2
"""From so many days on an end is named by its date."""
TITLE_CHARS: Final = 100


def address(tab: Tab, share: Share, base: str) -> str:
    """Where a link leads. `base` is the app's address as the browser knows it."""
    # The API was asked by this process, so that without a public address it knows less than the browser.
    return share.url if tab.site.links_from_api() or not base else f"{base}/s/{share.slug}"


def link(tab: Tab, share: Share, base: str) -> dict[str, Any]:
    """The values of the dialog `share`."""
    url = address(tab, share, base)
    return {
        "id": share.generation_id,
        "title": shorten(share.title, TITLE_CHARS),
        "url": url,
        "only_here": is_loopback(url),
        "qr": segno.make_qr(url, error="m").svg_data_uri(scale=4, border=2, light="#fff"),
        "views": share.views,
        "ends": ends(tab.texts, share.expires_at, datetime.now(UTC)),
        "lifetimes": [(key, "never" if seconds is None else str(seconds)) for key, seconds in LIFETIMES.items()],
    }


def links(tab: Tab, shares: Sequence[Share], base: str) -> dict[str, Any]:
    """The values of the dialog `links`: all public links of the session."""
    now = datetime.now(UTC)
    return {
        "links": [
            {
                "id": share.generation_id,
                "title": shorten(share.title, TITLE_CHARS),
                "url": address(tab, share, base),
                "views": share.views,
                "ends": ends(tab.texts, share.expires_at, now),
            }
            for share in shares
        ]
    }


def ends(texts: Texts, moment: datetime | None, now: datetime) -> str:
    """When a link ends, in words; empty where it does not end by itself."""
    if moment is None:
        return ""
    left = moment - now
    if left.days >= DAYS:
        return texts.gettext("share.on", date=texts.words.date(moment.date()))
    return texts.gettext("share.in", time=texts.time(left.total_seconds()))
