"""The use cases around sessions: make one, and find one by its token."""

from __future__ import annotations

from videogen.schemas.system import SessionCreated
from videogen.store import Store


class SessionService:
    """Sessions. Every method blocks on the database: call it from a thread, never in the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self) -> SessionCreated:
        """Make a session. Its token is returned only here."""
        session_id, token = self._store.create_session()
        return SessionCreated(session_id=session_id, token=token)

    def find(self, token: str) -> str | None:
        """The id of the session that a token opens, or None."""
        return self._store.find_session(token)
