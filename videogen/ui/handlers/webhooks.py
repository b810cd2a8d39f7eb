"""Webhooks: addresses that are sent a message when a generation ends or needs attention."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from videogen.client import ApiError
from videogen.core.text import shorten
from videogen.schemas.webhooks import MAX_URL, Webhook, WebhookResult
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Dialog, Tab

_SHOWN_CHARS = 100


@handles("webhooks")
async def webhooks(tab: Tab, _click: Click) -> None:
    """Open the dialog with the list."""
    await _show(tab)


@handles("webhook-add")
async def add(tab: Tab, click: Click) -> None:
    """Add an address, and show its secret once."""
    try:
        made = await tab.client.add_webhook(click.text("url", MAX_URL + 1).strip())
    except ApiError as refusal:
        await _show(tab, tab.texts.refusal(refusal))
        return
    key = "webhooks.added" if made.secret else "webhooks.added_with_own_key"
    await _show(tab, tab.texts.gettext(key), made.secret or "")


@handles("webhook-test")
async def test(tab: Tab, click: Click) -> None:
    """Send a test message now, and show what came of it."""
    result = await tab.client.test_webhook(click.text("webhook"))
    await _show(tab, _words(tab, result))


@handles("webhook-remove")
async def remove(tab: Tab, click: Click) -> None:
    """Remove an address."""
    await tab.client.remove_webhook(click.text("webhook"))
    await _show(tab, tab.texts.gettext("webhooks.removed"))


async def _show(tab: Tab, message: str = "", secret: str = "") -> None:
    known = [_line(tab, one) for one in await tab.client.webhooks()]
    values: dict[str, Any] = {"webhooks": known, "message": message, "secret": secret}
    tab.dialog = Dialog("webhooks", values)


def _line(tab: Tab, webhook: Webhook) -> dict[str, str]:
    return {"id": webhook.id, "url": shorten(webhook.url, _SHOWN_CHARS), "state": _state(tab, webhook)}


def _state(tab: Tab, webhook: Webhook) -> str:
    if webhook.disabled:
        return tab.texts.gettext("webhooks.disabled", reason=webhook.disabled)
    if webhook.last is None:
        return tab.texts.gettext("webhooks.unused")
    ago = (datetime.now(UTC) - webhook.last.at).total_seconds()
    words = tab.texts.gettext("webhooks.last", time=tab.texts.wait(max(ago, 1.0)), result=_words(tab, webhook.last))
    waiting = tab.texts.gettext("webhooks.pending", count=webhook.pending) if webhook.pending else ""
    return " · ".join(filter(None, (words, waiting)))


def _words(tab: Tab, result: WebhookResult) -> str:
    if result.ok:
        return tab.texts.gettext("webhooks.delivered")
    if result.status is None:
        return tab.texts.gettext("webhooks.no_answer", reason=result.text)
    return tab.texts.gettext("webhooks.refused", status=result.status, text=result.text)
