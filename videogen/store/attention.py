"""What an owner decides about a generation that needs attention: it may have a job at a service, or not."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from videogen.core.errors import NeedsNoAttentionError
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow
from videogen.schemas.status import Status
from videogen.store.base import BaseStore, get_owned, is_parked
from videogen.store.progress import MAY_BE_BILLED, Failure
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import error_columns, transition

LOOK: Final = "look"
"""The key in the checkpoint of an attempt that must look for its job, and never send it."""
GIVEN_UP: Final = Failure("given_up", f"You gave it up. {MAY_BE_BILLED}", retryable=False)
REPLACED: Final = Failure(
    "sent_again",
    "You sent it again, as another generation. The service may still render the first one, and bill it.",
    retryable=False,
)


def get_parked(session: Session, session_id: str, generation_id: str) -> GenerationRow:
    """Read a generation of this session that needs attention.

    Raises:
        NotFoundError: see `get_owned`.
        NeedsNoAttentionError: it does not need attention.
    """
    row = get_owned(session, session_id, generation_id)
    if not is_parked(row):
        raise NeedsNoAttentionError
    return row


def end_parked(unit: UnitOfWork, row: GenerationRow, now: float, failure: Failure) -> GenerationRow:
    """End a generation that needs attention as failed."""
    values = error_columns(failure.code, failure.message, retryable=failure.retryable)
    return transition(unit, row.id, Status.FAILED, now, values)


class AttentionStore(BaseStore):
    """What ends the stage `needs_attention`: once, so that of two calls at the same time the later one is refused.

    Each method raises `NotFoundError`, see `get_owned`, and `NeedsNoAttentionError`, and changes nothing then.
    """

    def get_parked(self, session_id: str, generation_id: str) -> GenerationRow:
        """Read it."""
        with self.database.read() as session:
            return get_parked(session, session_id, generation_id)

    def look_again(self, session_id: str, generation_id: str) -> GenerationRow:
        """Queue it again, with its checkpoint and the order to look for its job. No lost attempt is counted."""
        now = self.clock()
        with self.database.write() as unit:
            row = get_parked(unit.session, session_id, generation_id)
            values = {
                "stage": "queued",
                "message": "It is looked for, and not sent again.",
                "checkpoint": (row.checkpoint or {}) | {LOOK: True},
                "attention": None,
            }
            transition(unit, row.id, Status.QUEUED, now, values)
            update_queue_positions(unit, now, self.concurrency)
            unit.session.refresh(row)
            return row

    def give_up(self, session_id: str, generation_id: str) -> GenerationRow:
        """End it as failed."""
        with self.database.write() as unit:
            row = get_parked(unit.session, session_id, generation_id)
            return end_parked(unit, row, self.clock(), GIVEN_UP)
