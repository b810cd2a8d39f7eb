"""Webhooks: a session's addresses, the messages to them and their signatures, and the thread that sends them."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urljoin

from videogen.core.clock import to_datetime
from videogen.core.errors import StorageError
from videogen.core.security import WEBHOOK_PREFIX, new_id, webhook_signature
from videogen.core.version import __version__
from videogen.db.operating_tables import WebhookRow
from videogen.db.signals import StoredEvent
from videogen.db.tables import GenerationRow
from videogen.schemas.events import ProgressRecord, is_terminal
from videogen.schemas.generations import Generation
from videogen.schemas.status import NEEDS_ATTENTION
from videogen.schemas.webhooks import (
    TEST_EVENT,
    Webhook,
    WebhookCreate,
    WebhookCreated,
    WebhookEvent,
    WebhookList,
    WebhookMessage,
    WebhookResult,
)
from videogen.services.parts import Parts
from videogen.services.visitor_limits import RateLimits
from videogen.services.webhook_requests import Message, WebhookHosts, send
from videogen.store import Attempt, Claimed
from videogen.store.webhooks import GONE

logger = logging.getLogger(__name__)
DELAYS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400)
"""Seconds after each failed attempt until the next one, as in the Standard Webhooks specification: 8 attempts within
32 hours."""
MAX_RETRY_AFTER: Final = 6 * 3600
"""Seconds. A receiver that asks for a longer wait (`Retry-After`) is asked again after these."""
AT_ONCE: Final = 8
"""Messages that are sent at the same time, at most one to each webhook."""
_LOOK_SECONDS: Final = 30.0
"""The longest time between two looks for what is due: the clock may be set."""


class WebhookService:
    """The webhooks of a session. A method that is no coroutine blocks: call it from a thread."""

    def __init__(self, parts: Parts, rates: RateLimits) -> None:
        self._parts, self._store, self._rates = parts, parts.store, rates
        self._hosts = WebhookHosts(parts.config.webhook_hosts)
        self.sender = WebhookSender(self)

    def create(self, session_id: str, create: WebhookCreate, base: str, address: str) -> WebhookCreated:
        """Add a webhook; its secret is returned only here.

        Args:
            session_id: the owner.
            create: its address and its events.
            base: the public address of the app.
            address: the visitor's.

        Raises:
            InvalidRequestError: the address is not allowed.
            LimitExceededError: the session has as many as it may, or asked for too many.
        """
        self._rates.count("webhooks", address, session_id)
        self._hosts.check(create.url)
        row = WebhookRow(
            id=new_id("whk"),
            session_id=session_id,
            url=create.url,
            base=base,
            events=sorted(set(create.events)),
            created_at=self._store.clock(),
        )
        self._store.add_webhook(row)
        secret = None if self._parts.config.webhook_secret else self._secret(row)
        return WebhookCreated(**dict(_serialize(row, 0)), secret=secret)

    def list(self, session_id: str) -> WebhookList:
        """The webhooks of the session, oldest first."""
        return WebhookList(items=[_serialize(row, pending) for row, pending in self._store.list_webhooks(session_id)])

    def delete(self, session_id: str, webhook_id: str) -> None:
        """Remove a webhook, and what was not sent yet. Raises NotFoundError where it is not this session's."""
        self._store.delete_webhook(session_id, webhook_id)

    def test(self, session_id: str, webhook_id: str, address: str) -> WebhookResult:
        """Send a message of type `webhook.test` at once. If it gets through, a disabled webhook is in use again.

        Raises:
            NotFoundError: it is not this session's.
            LimitExceededError: too many tests.
        """
        self._rates.count("webhooks", address, session_id)
        row = self._store.get_webhook(session_id, webhook_id)
        attempt = asyncio.run(self.send(row, new_id("msg"), TEST_EVENT, self._store.clock(), None))
        self._store.record_test(session_id, webhook_id, attempt)
        now = to_datetime(self._store.clock())
        return WebhookResult(at=now, ok=attempt.ok, status=attempt.status, text=attempt.text)

    async def send(
        self, webhook: WebhookRow, message_id: str, event: str, at: float, data: Generation | None
    ) -> Attempt:
        """Sign a message and send it once; this never raises."""
        message = WebhookMessage(type=event, timestamp=to_datetime(at), data=data)
        body = message.model_dump_json(by_alias=True).encode()
        # The receiver compares it with its own clock; that of the store never goes back.
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"videogen/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": webhook_signature(self._secret(webhook), message_id, timestamp, body),
        }
        return await send(webhook.url, Message(body, headers), self._hosts)

    async def deliver(self, claimed: Claimed) -> None:
        """Send a message that was claimed, and store what came of it."""
        delivery = claimed.delivery
        try:
            data = self._data(claimed)
        except Exception:  # of a snapshot of another version; it must not be tried for ever
            logger.exception("A message of a webhook could not be built.")
            attempt = Attempt(None, "The message could not be built.")
        else:
            attempt = await self.send(claimed.webhook, delivery.id, delivery.type, delivery.created_at, data)
        again = None if attempt.status == GONE else _next_delay(delivery.attempts, attempt.retry_after)
        next_at = None if again is None else self._store.clock() + again
        reason = f"Nothing was delivered after {delivery.attempts} attempts; the last one: {_in_words(attempt)}"
        finish = partial(self._store.finish_delivery, claimed, attempt, next_at, reason)
        await asyncio.to_thread(finish)

    def _data(self, claimed: Claimed) -> Generation:
        """The generation as it was, with fresh and absolute links."""
        row = GenerationRow(**claimed.delivery.snapshot)
        shown = self._parts.serializer.generation(row, self._store.clock())
        links: dict[str, Any] = {
            name: urljoin(f"{claimed.webhook.base}/", value)
            for name, value in shown
            if name.endswith("_url") and isinstance(value, str)
        }
        return shown.model_copy(update=links)

    def claim(self, busy: set[str]) -> Sequence[Claimed]:
        """Claim what is due, without the webhooks `busy`."""
        return self._store.claim_deliveries(AT_ONCE - len(busy), busy)

    def seconds_left(self, busy: set[str]) -> float:
        """How long until the next message is due, at most `_LOOK_SECONDS`."""
        if len(busy) >= AT_ONCE or (due := self._store.next_delivery(busy)) is None:
            return _LOOK_SECONDS
        return min(max(due - self._store.clock(), 0.0), _LOOK_SECONDS)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each commit that may have stored a message."""

        def heard(events: list[StoredEvent]) -> None:
            if any(_is_sent(event) for event in events):
                wake()

        self._store.database.listen(heard)

    def _secret(self, row: WebhookRow) -> str:
        if self._parts.config.webhook_secret:
            return self._parts.config.webhook_secret
        key = bytes.fromhex(self._parts.signer.derive(f"webhook {row.id}"))
        return WEBHOOK_PREFIX + base64.b64encode(key).decode()


class WebhookSender:
    """A thread that sends the messages of all webhooks, a few at the same time."""

    def __init__(self, service: WebhookService) -> None:
        self._service = service
        self._thread = threading.Thread(target=self._main, name="webhooks", daemon=True)
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._busy: set[str] = set()

    def start(self) -> None:
        """Start the thread, which begins with what was left by the last process."""
        self._service.listen(self._wake)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. What it was sending is sent again after the next start, with the same id."""
        self._stopping = True
        self._wake()
        self._thread.join(1.0)

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._changed.set)

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        running: set[asyncio.Task[None]] = set()
        while not self._stopping:
            self._changed.clear()
            try:
                for claimed in await self._claim():
                    self._busy.add(claimed.webhook.id)
                    task = asyncio.create_task(self._deliver(claimed))
                    running.add(task)
                    task.add_done_callback(running.discard)
                left = await asyncio.to_thread(self._service.seconds_left, set(self._busy))
            except StorageError as problem:
                logger.warning("The messages of webhooks could not be read. %s", problem.detail)
                left = _LOOK_SECONDS
            except Exception:  # the thread must not end
                logger.exception("The messages of webhooks could not be sent.")
                left = _LOOK_SECONDS
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                continue
        for task in running:
            task.cancel()

    async def _claim(self) -> Sequence[Claimed]:
        busy = set(self._busy)
        if await asyncio.to_thread(self._service.seconds_left, busy) > 0:
            return []
        return await asyncio.to_thread(self._service.claim, busy)

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            await self._service.deliver(claimed)
        except StorageError as problem:
            # It is claimed until `CLAIM_SECONDS` are over, and then sent again.
            logger.warning("What came of a message of a webhook could not be stored. %s", problem.detail)
        except Exception:  # one message must not end the thread
            logger.exception("A message of a webhook could not be sent.")
        finally:
            self._busy.discard(claimed.webhook.id)
            self._changed.set()


def _next_delay(attempts: int, asked: float) -> float | None:
    """Seconds until the next attempt, not before the receiver has `asked` for it; None after the last one."""
    if attempts > len(DELAYS):
        return None
    # A little random, so that not all come at once; nothing secret depends on it.
    return max(DELAYS[attempts - 1], min(asked, MAX_RETRY_AFTER)) * random.uniform(1.0, 1.1)  # noqa: S311


def _in_words(attempt: Attempt) -> str:
    return attempt.text if attempt.status is None else f"HTTP {attempt.status}. {attempt.text}"


def _is_sent(event: StoredEvent) -> bool:
    parked = isinstance(event.data, ProgressRecord) and event.data.stage == NEEDS_ATTENTION
    return parked or is_terminal(event.type)


def _serialize(row: WebhookRow, pending: int) -> Webhook:
    last = None
    if row.last_at is not None:
        ok = row.last_status is not None and 200 <= row.last_status < 300
        last = WebhookResult(at=to_datetime(row.last_at), ok=ok, status=row.last_status, text=row.last_text)
    return Webhook(
        id=row.id,
        url=row.url,
        events=cast(list[WebhookEvent], row.events),
        created_at=to_datetime(row.created_at),
        disabled=row.disabled,
        pending=pending,
        last=last,
    )
