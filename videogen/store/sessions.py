"""Queries of sessions, of the tokens that open them, and of the codes that transfer them to other devices."""

from __future__ import annotations

from sqlalchemy import or_
from sqlmodel import col, delete, select

from videogen.core.security import new_id, new_token, token_hash
from videogen.db.tables import DeviceRow, SessionRow, TransferRow
from videogen.store.base import BaseStore


class SessionStore(BaseStore):
    """Sessions and transfer codes. Tokens and codes are stored as hashes only."""

    def create_session(self) -> tuple[str, str]:
        """Create a session; return its id and its token. Only the hash of the token is stored."""
        token = new_token()
        row = SessionRow(id=new_id("ses"), token_hash=token_hash(token), created_at=self.clock())
        with self.database.write() as unit:
            unit.session.add(row)
        return row.id, token

    def find_session(self, token: str) -> str | None:
        """The id of the session that this token opens, or None."""
        digest = token_hash(token)
        with self.database.read() as session:
            own = session.exec(select(SessionRow.id).where(SessionRow.token_hash == digest)).first()
            return own or session.exec(select(DeviceRow.session_id).where(DeviceRow.token_hash == digest)).first()

    def put_transfer(self, row: TransferRow) -> None:
        """Store a one-time code, which replaces the session's last one."""
        with self.database.write() as unit:
            expired = col(TransferRow.expires_at) <= self.clock()
            unit.session.exec(delete(TransferRow).where(or_(expired, col(TransferRow.session_id) == row.session_id)))
            unit.session.add(row)

    def drop_transfer(self, session_id: str) -> None:
        """Delete the session's code, if there is one."""
        with self.database.write() as unit:
            unit.session.exec(delete(TransferRow).where(col(TransferRow.session_id) == session_id))

    def use_transfer(self, digest: str) -> tuple[str, str] | None:
        """Use up the code with this hash; return its session's id and a new token, or None where there is none."""
        now, token = self.clock(), new_token()
        known = or_(col(TransferRow.code_hash) == digest, col(TransferRow.secret_hash) == digest)
        with self.database.write() as unit:
            row = unit.session.exec(select(TransferRow).where(known, col(TransferRow.expires_at) > now)).first()
            if row is None:
                return None
            unit.session.delete(row)
            unit.session.add(DeviceRow(token_hash=token_hash(token), session_id=row.session_id, created_at=now))
            return row.session_id, token
