"""The calls for webhooks: addresses that the events of a session are sent to."""

from __future__ import annotations

from collections.abc import Sequence

from videogen.client.calls import API, Call, NoContent, segment
from videogen.client.transport import Transport
from videogen.schemas.webhooks import (
    EVENTS,
    Webhook,
    WebhookCreate,
    WebhookCreated,
    WebhookEvent,
    WebhookList,
    WebhookResult,
)


class WebhookCalls(Transport):
    """A part of `AsyncClient`."""

    async def add_webhook(self, url: str, events: Sequence[WebhookEvent] = EVENTS) -> WebhookCreated:
        """Let the events of this session be sent to `url`. The `secret` is returned only here: keep it."""
        body = WebhookCreate(url=url, events=list(events)).model_dump(mode="json", by_alias=True)
        return await self._send(Call("POST", f"{API}/webhooks", WebhookCreated, {"json": body}, repeatable=False))

    async def webhooks(self) -> tuple[Webhook, ...]:
        """The webhooks of this session, oldest first."""
        return tuple((await self._send(Call("GET", f"{API}/webhooks", WebhookList))).items)

    async def remove_webhook(self, webhook_id: str) -> None:
        """Remove a webhook, with what was not sent yet."""
        await self._send(Call("DELETE", f"{API}/webhooks/{segment(webhook_id)}", NoContent, repeatable=False))

    async def test_webhook(self, webhook_id: str) -> WebhookResult:
        """Let a test message be sent now; return what came of it."""
        path, timeout = f"{API}/webhooks/{segment(webhook_id)}/test", {"timeout": 30.0}
        return await self._send(Call("POST", path, WebhookResult, timeout, repeatable=False))
