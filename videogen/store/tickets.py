"""Tickets: what a secret in a link or in a browser stands for, for some minutes, at every process."""

from __future__ import annotations

from typing import Any, Final

from sqlmodel import col, delete, select

from videogen.core.errors import NotFoundError
from videogen.core.security import token_hash
from videogen.db.backend import is_postgresql, missing_reference
from videogen.db.operating_tables import TicketRow
from videogen.store.base import BaseStore

_TASK: Final = "task:"


class TicketStore(BaseStore):
    """Tickets, by their secrets, of which only hashes are stored."""

    def put_ticket(self, secret: str, value: Any, expires_at: float, session_id: str | None = None) -> None:
        """Store what a secret stands for: a text, or a list or mapping for JSON.

        It ends with the session, where it has one.

        Raises:
            NotFoundError: there is no such session any more.
        """
        row = TicketRow(id=token_hash(secret), session_id=session_id, value=value, expires_at=expires_at)
        with missing_reference(NotFoundError), self.database.write(exclusive=False) as unit:
            unit.session.add(row)

    def limit_tickets(self, session_id: str, most: int) -> None:
        """End the oldest tickets of a session where it has more than so many."""
        kept = select(TicketRow.id).where(TicketRow.session_id == session_id)
        kept = kept.order_by(col(TicketRow.expires_at).desc(), col(TicketRow.id)).limit(most)
        mine = col(TicketRow.session_id) == session_id, col(TicketRow.id).not_in(kept)
        with self.database.write(exclusive=False) as unit:
            unit.connection.execute(delete(TicketRow).where(*mine))

    def hold_task(self, name: str, owner: str, seconds: float) -> bool:
        """Hold a task that one process at a time does, or hold it for longer; False where another one has it.

        Where one process uses the database it has every task.

        Args:
            name: of the task.
            owner: the id of the process.
            seconds: how long it holds the task, unless it lets go: a process that is frozen must not keep it.
        """
        if not is_postgresql(self.database.url):
            return True
        with self.database.write() as unit:
            now = self.lease_time(unit)
            row = unit.session.get(TicketRow, token_hash(_TASK + name))
            if row is not None and row.expires_at > now and row.value != owner:
                return False
            unit.session.merge(TicketRow(id=token_hash(_TASK + name), value=owner, expires_at=now + seconds))
        return True

    def end_task(self, name: str, owner: str) -> None:
        """Let go of a task. Safe to repeat."""
        if not is_postgresql(self.database.url):
            return
        # In one transaction, and whatever the clock of this host says: another one may have taken it over.
        with self.database.write() as unit:
            row = unit.session.get(TicketRow, token_hash(_TASK + name))
            if row is not None and row.value == owner:
                unit.session.delete(row)

    def get_ticket(self, secret: str) -> TicketRow | None:
        """The ticket of a secret; None where there is none, or it has expired."""
        with self.database.read() as session:
            row = session.get(TicketRow, token_hash(secret))
        return None if row is None or row.expires_at < self.clock() else row

    def take_ticket(self, secret: str) -> TicketRow | None:
        """The same, once."""
        row = self.get_ticket(secret)
        with self.database.write(exclusive=False) as unit:
            gone = unit.connection.execute(delete(TicketRow).where(col(TicketRow.id) == token_hash(secret))).rowcount
        return row if gone else None
