"""What is known of a generation that waits for its owner, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from videogen.schemas.generations import Generation
from videogen.ui.tab import Tab


def attention(tab: Tab, item: Generation) -> Mapping[str, Any] | None:
    """When it was sent, its id at the service, and where to look; None where it needs no attention."""
    known = item.attention
    if not item.needs_attention or known is None:
        return None
    return {
        "id": item.id,
        # Without a picture the stage says it.
        "message": tab.texts.stage(item) if item.preview_url else "",
        "sent": tab.texts.moment(known.sent_at) if known.sent_at else "",
        "at": known.sent_at.isoformat() if known.sent_at else "",
        "provider_id": known.provider_id,
        "look_at": known.look_at,
        "is_link": is_web_address(known.look_at),
    }


def is_web_address(text: str) -> bool:
    """Whether a text is an address that may become a link."""
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname)
