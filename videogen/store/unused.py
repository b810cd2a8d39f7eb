"""Queries that remove what nobody needs any more: in small batches, so that no other write waits for them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, exists, update
from sqlmodel import col, delete, func, select

from videogen.db.account_tables import LoginLinkRow, TransferRow
from videogen.db.operating_tables import RateCountRow, TicketRow
from videogen.db.tables import (
    DeviceRow,
    EventRow,
    GenerationRow,
    ProjectRow,
    QuotaRow,
    SessionRow,
    ShareRow,
    UploadRow,
)
from videogen.store.base import BaseStore
from videogen.store.quotas import WINDOW_SECONDS

BATCH_ROWS: Final = 500
"""Rows that one transaction deletes."""
_EXPIRING: Final[tuple[Any, ...]] = (TransferRow, ShareRow, LoginLinkRow, TicketRow, RateCountRow)
BATCH_ENDED: Final = 50
"""Ended generations whose progress is looked for at once."""


class UnusedStore(BaseStore):
    """Removes rows that are of no use any more, whoever owns them."""

    def remove_expired(self) -> None:
        """Delete the one-time codes and all links that have expired, and what counts for no quota or rate any more.

        The retention of what was shared counts from now.
        """
        now = self.clock()
        expired: dict[Any, Any] = {table: col(table.expires_at) <= now for table in _EXPIRING}
        expired[QuotaRow] = col(QuotaRow.at) <= now - WINDOW_SECONDS
        with self.database.read() as session:
            if not any(
                session.exec(select(table).where(is_over).limit(1)).first() for table, is_over in expired.items()
            ):
                return
        was_shared = select(ShareRow.generation_id).where(expired[ShareRow])
        ended = (col(GenerationRow.id).in_(was_shared), col(GenerationRow.kept_from).is_not(None))
        with self.database.write() as unit:
            unit.session.exec(update(GenerationRow).where(*ended).values(kept_from=now))
            for table, is_over in expired.items():
                unit.session.exec(delete(table).where(is_over))

    def remove_progress(self, after: int, before: float) -> int | None:
        """Delete progress events of generations that ended before a time. Their last events stay.

        Args:
            after: an event id. Generations whose last event is not above it are not looked at.
            before: seconds since the epoch.

        Returns:
            where to go on: the next call's `after`; None when nothing is left for now.
        """
        is_last = col(EventRow.type) != "render_progress"
        ended = (
            select(EventRow.id, EventRow.generation_id, EventRow.created_at)
            .where(is_last, col(EventRow.id) > after)
            .order_by(col(EventRow.id))
            .limit(BATCH_ENDED)
        )
        with self.database.read() as session:
            # Ids rise with the time, so that nothing after the first one that is too young is due.
            rows = [(number, name) for number, name, created_at in session.exec(ended) if created_at < before]
            progress = select(EventRow.id).where(
                col(EventRow.generation_id).in_([name for _, name in rows]),
                col(EventRow.type) == "render_progress",
            )
            ids = list(session.exec(progress.limit(BATCH_ROWS)))
        if ids:
            with self.database.write() as unit:
                unit.session.exec(delete(EventRow).where(col(EventRow.id).in_(ids)))
        if len(ids) == BATCH_ROWS:
            return after
        return rows[-1][0] if rows else None

    def remove_idle_sessions(self, before: float, before_with_devices: float) -> int:
        """Delete sessions that own nothing and were not used since a time; return how many, 0 when none is left.

        Args:
            before: for sessions with one device, seconds since the epoch.
            before_with_devices: the same for sessions that somebody has opened on other devices too.
        """
        kept_longer = (_device_count() > 1) & ~_unused_since(before_with_devices)
        conditions = [_owns_nothing(), _unused_since(before), ~kept_longer]
        with self.database.read() as session:
            ids = session.exec(select(SessionRow.id).where(*conditions).limit(BATCH_ROWS)).all()
        if not ids:
            return 0
        with self.database.write() as unit:
            # Asked again: something may have been stored in one of them meanwhile.
            idle = delete(SessionRow).where(col(SessionRow.id).in_(ids), *conditions)
            return unit.session.exec(idle).rowcount


def _owns_nothing() -> Any:
    """The SQL condition that a session has no rows, and is no account's, which has several devices by its nature."""
    owned = (ProjectRow, GenerationRow, UploadRow, ShareRow, TransferRow)
    return and_(
        col(SessionRow.account_id).is_(None),
        *(~exists().where(col(table.session_id) == col(SessionRow.id)) for table in owned),
    )


def _unused_since(time: float) -> Any:
    of_session = col(DeviceRow.session_id) == col(SessionRow.id)
    return (col(SessionRow.created_at) < time) & ~exists().where(of_session, col(DeviceRow.last_seen_at) >= time)


def _device_count() -> Any:
    return select(func.count()).where(col(DeviceRow.session_id) == col(SessionRow.id)).scalar_subquery()
