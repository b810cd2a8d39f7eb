"""What stands above and over all parts: the connection, the notice, the open dialog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def link(_tab: Tab) -> Mapping[str, Any]:
    """The connection's states in words: `static/connection.js` shows the one that the browser is in."""
    return {}


def outbox(_tab: Tab) -> Mapping[str, Any]:
    """What stands beside Generate while the browser keeps a request that was not answered."""
    return {}


def notice(tab: Tab) -> Mapping[str, Any]:
    """The message, if any. A welcome says how much still renders, and goes once nothing does."""
    shown = tab.notice
    welcome = tab.texts.welcome(len(tab.board.working())) if shown and shown.welcome else ""
    text = " ".join(filter(None, (shown.text, welcome))) if shown else ""
    return {"notice": shown if text else None, "text": text}


def dialog(tab: Tab) -> Mapping[str, Any]:
    """The open dialog, if any. While its values stay the same, its HTML is not touched: fields keep what is typed."""
    return {"dialog": tab.dialog}


def devices(_tab: Tab) -> Mapping[str, Any]:
    """The way to the dialog of the same name."""
    return {}
