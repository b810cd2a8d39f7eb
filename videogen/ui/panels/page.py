"""What stands above and over all parts: the connection, the notice, the open dialog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def masthead(_tab: Tab) -> Mapping[str, Any]:
    """The app's name."""
    return {}


def link(_tab: Tab) -> Mapping[str, Any]:
    """The connection's states in words: `static/connection.js` shows the one that the browser is in."""
    return {}


def outbox(_tab: Tab) -> Mapping[str, Any]:
    """What stands beside Generate while the browser keeps a request that was not answered."""
    return {}


def notice(tab: Tab) -> Mapping[str, Any]:
    """The message, if any."""
    return {"notice": tab.notice}


def dialog(tab: Tab) -> Mapping[str, Any]:
    """The open dialog, if any. While its values stay the same, its HTML is not touched: fields keep what is typed."""
    return {"dialog": tab.dialog}


def devices(_tab: Tab) -> Mapping[str, Any]:
    """The way to the dialog of the same name."""
    return {}
