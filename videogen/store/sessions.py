"""Sessions: made once, found by the hash of their token."""

from __future__ import annotations

from sqlmodel import select

from videogen.models import SessionRow
from videogen.security import new_id, new_token, token_hash
from videogen.store.base import BaseStore


class SessionStore(BaseStore):
    """Who is asking."""

    def create_session(self) -> tuple[str, str]:
        """Make a session; return its id and its token. The token is not kept."""
        token = new_token()
        row = SessionRow(id=new_id("ses"), token_hash=token_hash(token), created_at=self.clock())
        with self.database.write() as unit:
            unit.session.add(row)
        return row.id, token

    def find_session(self, token: str) -> str | None:
        """The id of the session that this token opens, or None."""
        with self.database.read() as session:
            return session.exec(select(SessionRow.id).where(SessionRow.token_hash == token_hash(token))).first()
