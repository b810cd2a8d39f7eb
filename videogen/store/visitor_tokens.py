"""Queries of the access tokens of those who have signed in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select, update

from videogen.db.account_tables import VisitorTokenRow
from videogen.db.tables import DeviceRow, GenerationRow, SessionRow
from videogen.store.base import BaseStore


class VisitorTokenStore(BaseStore):
    """Access tokens, sealed. A session has those of the devices that have signed in with its account."""

    def visitor_tokens(self, session_id: str) -> Sequence[VisitorTokenRow]:
        """Those of a session, the newest first."""
        query = (
            select(VisitorTokenRow)
            .join(DeviceRow, col(DeviceRow.id) == VisitorTokenRow.device_id)
            .join(SessionRow, col(SessionRow.id) == DeviceRow.session_id)
            .where(SessionRow.id == session_id, SessionRow.account_id == VisitorTokenRow.account_id)
            .order_by(col(VisitorTokenRow.created_at).desc())
        )
        with self.database.read() as session:
            return session.exec(query).all()

    def session_of(self, generation_id: str) -> str | None:
        """The session that a generation belongs to now; it may have been merged into another one since its claim."""
        with self.database.read() as session:
            return session.exec(select(GenerationRow.session_id).where(GenerationRow.id == generation_id)).first()

    def replace_visitor_token(self, row: VisitorTokenRow, sealed: str) -> None:
        """Store what the provider gave in the place of an expired one, unless there is another one since."""
        same = (col(VisitorTokenRow.device_id) == row.device_id, col(VisitorTokenRow.sealed) == row.sealed)
        with self.database.write() as unit:
            unit.session.exec(update(VisitorTokenRow).where(*same).values(sealed=sealed))
