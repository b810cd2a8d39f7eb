"""Webhooks of a session, and the messages to them: stored with the event, claimed by one process, removed when sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, insert, update
from sqlmodel import col, delete, select

from videogen.core.errors import LimitExceededError, NotFoundError
from videogen.core.security import new_id
from videogen.db.database import UnitOfWork
from videogen.db.operating_tables import DeliveryRow, WebhookRow
from videogen.db.tables import GenerationRow
from videogen.store.base import BaseStore, require

MAX_WEBHOOKS: Final = 5
"""Of one session."""
CLAIM_SECONDS: Final = 60.0
"""How long a process may take for one attempt. Then another one may send the message: the first one has died."""
GONE: Final = 410
"""The HTTP status with which a receiver says that it wants nothing more."""
_LEFT_OUT: Final = {"seq", "recipe", "checkpoint", "address_hash", "lease_owner", "lease_until", "search_text"}
_COPIED: Final = sorted(GenerationRow.model_fields.keys() - _LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may send now."""

    delivery: DeliveryRow
    webhook: WebhookRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt."""

    status: int | None
    """The HTTP status; None without an answer."""
    text: str
    """The beginning of the answer, or why there was none."""
    retry_after: float = 0.0
    """Seconds that the receiver asks to be left alone for, in an answer with 429 or 503."""

    @property
    def ok(self) -> bool:
        """Whether the receiver has the message."""
        return self.status is not None and 200 <= self.status < 300


def add_deliveries(unit: UnitOfWork, row: GenerationRow, state: str) -> None:
    """Store a message for each webhook of the row's owner that wants to hear of this state."""
    query = select(WebhookRow.id, WebhookRow.events).where(
        WebhookRow.session_id == row.session_id, col(WebhookRow.disabled).is_(None)
    )
    event = f"generation.{state}"
    for webhook_id, events in unit.connection.execute(query):
        if event in events:
            values = {"id": new_id("msg"), "webhook_id": webhook_id, "generation_id": row.id, "type": event}
            values |= {"snapshot": _snapshot(row), "created_at": row.updated_at, "next_at": row.updated_at}
            unit.connection.execute(insert(DeliveryRow), values)


def _snapshot(row: GenerationRow) -> dict[str, Any]:
    understanding = {"understanding": (row.recipe or {}).get("understanding")}
    return {name: getattr(row, name) for name in _COPIED} | {"recipe": understanding}


class WebhookStore(BaseStore):
    """The webhooks of a session, for its owner; and the messages, for the process that sends them."""

    def add_webhook(self, row: WebhookRow) -> None:
        """Store a webhook.

        Raises:
            LimitExceededError: the session has `MAX_WEBHOOKS`.
        """
        with self.database.write() as unit:
            count = select(func.count()).select_from(WebhookRow).where(WebhookRow.session_id == row.session_id)
            if unit.session.exec(count).one() >= MAX_WEBHOOKS:
                raise LimitExceededError(f"A session may have {MAX_WEBHOOKS} webhooks. Remove one first.")
            unit.session.add(row)

    def list_webhooks(self, session_id: str) -> list[tuple[WebhookRow, int]]:
        """The webhooks of a session, oldest first, each with the number of its messages that were not delivered yet."""
        pending = (
            select(func.count()).select_from(DeliveryRow).where(DeliveryRow.webhook_id == WebhookRow.id)
        ).scalar_subquery()
        query = select(WebhookRow, pending).where(WebhookRow.session_id == session_id)
        with self.database.read() as session:
            return [(row, count) for row, count in session.exec(query.order_by(col(WebhookRow.created_at)))]

    def get_webhook(self, session_id: str, webhook_id: str) -> WebhookRow:
        """One webhook. Raises NotFoundError where it is not this session's."""
        query = select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.session_id == session_id)
        with self.database.read() as session:
            return require(session.exec(query).first())

    def delete_webhook(self, session_id: str, webhook_id: str) -> None:
        """Remove a webhook and its messages. Raises NotFoundError where it is not this session's."""
        with self.database.write() as unit:
            own = col(WebhookRow.id) == webhook_id, col(WebhookRow.session_id) == session_id
            if unit.session.exec(delete(WebhookRow).where(*own)).rowcount == 0:
                raise NotFoundError

    def record_test(self, session_id: str, webhook_id: str, attempt: Attempt) -> None:
        """Store what came of a test. One that got through puts a disabled webhook into use again."""
        own = col(WebhookRow.id) == webhook_id, col(WebhookRow.session_id) == session_id
        with self.database.write() as unit:
            again = {"disabled": None} if attempt.ok else {}
            unit.connection.execute(update(WebhookRow).where(*own).values(**_last(attempt, self.clock()), **again))

    def next_delivery(self, busy: Collection[str]) -> float | None:
        """When the next message is due, without those for the webhooks `busy`; None where none waits."""
        query = select(func.min(DeliveryRow.next_at)).where(col(DeliveryRow.webhook_id).not_in(busy))
        with self.database.read() as session:
            return session.exec(query).one()

    def claim_deliveries(self, count: int, busy: Collection[str]) -> list[Claimed]:
        """Claim messages that are due, for this process alone: at most `count`, and one for each webhook.

        Args:
            count: how many.
            busy: the webhooks that a message is being sent to.
        """
        now = self.clock()
        due = select(DeliveryRow.webhook_id).where(DeliveryRow.next_at <= now)
        due = due.where(col(DeliveryRow.webhook_id).not_in(busy)).group_by(col(DeliveryRow.webhook_id))
        due = due.order_by(func.min(DeliveryRow.next_at)).limit(count)
        with self.database.write() as unit:
            return [self._claim(unit, webhook_id, now) for webhook_id in unit.session.exec(due).all()]

    def _claim(self, unit: UnitOfWork, webhook_id: str, now: float) -> Claimed:
        webhook = unit.session.exec(select(WebhookRow).where(WebhookRow.id == webhook_id)).one()
        query = select(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id).order_by(col(DeliveryRow.next_at))
        delivery = unit.session.exec(query.limit(1)).one()
        delivery.attempts += 1
        delivery.next_at = now + CLAIM_SECONDS
        unit.session.add(delivery)
        return Claimed(delivery, webhook)

    def finish_delivery(self, claimed: Claimed, attempt: Attempt, next_at: float | None, reason: str) -> None:
        """Store what came of an attempt.

        A message that was delivered is removed. One that was not is sent again at `next_at`; with None it is given up,
        and where nothing was delivered since it was stored, or the receiver says `GONE`, its webhook is disabled for
        this `reason`.
        """
        delivery, now = claimed.delivery, self.clock()
        # Another process may have claimed it since, if this one was suspended.
        mine = col(DeliveryRow.id) == delivery.id, col(DeliveryRow.attempts) == delivery.attempts
        own = col(WebhookRow.id) == claimed.webhook.id
        with self.database.write() as unit:
            if next_at is None or attempt.ok:
                done = unit.connection.execute(delete(DeliveryRow).where(*mine)).rowcount
            else:
                done = unit.connection.execute(update(DeliveryRow).where(*mine).values(next_at=next_at)).rowcount
            if not done:
                return
            unit.connection.execute(update(WebhookRow).where(own).values(**_last(attempt, now)))
            if next_at is None and not attempt.ok:
                _disable(unit, claimed, attempt, reason)


def _disable(unit: UnitOfWork, claimed: Claimed, attempt: Attempt, reason: str) -> None:
    row = unit.session.exec(select(WebhookRow).where(WebhookRow.id == claimed.webhook.id)).one()
    unused = row.last_ok_at is None or row.last_ok_at < claimed.delivery.created_at
    if unused or attempt.status == GONE:
        row.disabled = reason
        unit.session.add(row)
        unit.session.exec(delete(DeliveryRow).where(col(DeliveryRow.webhook_id) == row.id))


def _last(attempt: Attempt, now: float) -> dict[str, Any]:
    values = {"last_at": now, "last_status": attempt.status, "last_text": attempt.text}
    return values | {"last_ok_at": now} if attempt.ok else values
