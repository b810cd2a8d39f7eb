"""The own places in the line, changed by those who wait in them."""

from __future__ import annotations

from sqlmodel import select

from videogen.core.errors import NotFound, NotQueued
from videogen.database import UnitOfWork
from videogen.line import first_of, refresh_line, reorder
from videogen.models import GenerationRow
from videogen.schemas.status import Status
from videogen.store.base import BaseStore


class LineStore(BaseStore):
    """Earlier, later, to the front."""

    def move_generation(self, session_id: str, generation_id: str, before: str | None) -> GenerationRow:
        """Put a queued generation before another one of the same session, or with None after all of them.

        Again is nothing. One write decides with every claim who was first: what has begun is not moved any more.
        Before one that has begun in the meantime means first of those that still wait.

        Raises:
            NotFound: one of the two is not this session's.
            NotQueued: it does not wait any more, or the other one has ended.
        """
        with self.database.write() as unit:
            row = _own(unit, session_id, generation_id)
            if row.status != Status.QUEUED:
                raise NotQueued
            target = before
            if before is not None and before != generation_id:
                other = _own(unit, session_id, before)
                if other.status == Status.PROCESSING:
                    target = first_of(unit, session_id)
                elif other.status != Status.QUEUED:
                    raise NotQueued(f"The generation {before!r} has ended, so that nothing can come before it.")
            if target != generation_id:
                reorder(unit, row, target)
                refresh_line(unit, self.clock(), self.workers)
            unit.session.refresh(row)
            return row


def _own(unit: UnitOfWork, session_id: str, generation_id: str) -> GenerationRow:
    query = select(GenerationRow).where(GenerationRow.id == generation_id, GenerationRow.session_id == session_id)
    row = unit.session.exec(query).first()
    if row is None:
        raise NotFound
    return row
