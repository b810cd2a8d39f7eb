"""Until when things are kept, what goes next, and Keep."""

from __future__ import annotations

from typing import Final, Literal

from videogen.core.clock import to_datetime
from videogen.schemas.generations import Generation
from videogen.schemas.retention import AlmostFull, Expiring, Going, Retention
from videogen.services.generation_views import GenerationViews
from videogen.services.parts import Parts
from videogen.services.storage_limits import Remembered
from videogen.store.retention import FirstToGo

SHOWN: Final = 100
"""Generations that a warning names."""


class RetentionService:
    """Every method blocks on the database: call it from a thread."""

    def __init__(self, parts: Parts, views: GenerationViews) -> None:
        self._parts, self._store, self._views = parts, parts.store, views
        self._of_all = Remembered(lambda: self._store.first_to_go(parts.rules, None), parts.store.clock)

    def keep(self, session_id: str, generation_id: str) -> Generation:
        """Let the time of a generation count from now. Raises NotFoundError where it is not this session's."""
        return self._views.one(self._store.keep(session_id, generation_id))

    def note_use(self, session_id: str, generation_id: str) -> None:
        """Note that its owner looks at it now. Raises NotFoundError where it is not this session's."""
        self._store.get_generation(session_id, generation_id)
        self._parts.in_use.note(generation_id)

    def describe(self, session_id: str) -> Retention:
        """What is kept how long, and what of the session goes soon."""
        rules = self._parts.rules
        if not rules.seconds:
            return Retention()
        rows, following = self._store.expiring(session_id, rules)
        return Retention(
            hours=rules.seconds / 3600,
            favorites="keep" if rules.keeps_favorites else "same",
            shared="keep" if rules.keeps_shared else "same",
            soon=tuple(
                Expiring(id=row.id, title=row.title or row.prompt, expires_at=to_datetime(expires_at))
                for row in rows
                if (expires_at := rules.expires_at(row, is_shared=False)) is not None
            ),
            almost_full=self._almost_full(session_id),
            next_warning_at=None if following is None else to_datetime(following - rules.warning_seconds),
        )

    def _almost_full(self, session_id: str) -> AlmostFull | None:
        """The warning of the session's own limit, else of that of all; None where nothing of the session would go."""
        own = self._store.first_to_go(self._parts.rules, session_id)
        scopes: tuple[tuple[Literal["session", "server"], FirstToGo], ...] = (
            ("session", own),
            ("server", self._of_all()),
        )
        for scope, first in scopes:
            if mine := first.by_session.get(session_id):
                going = tuple(Going(id=one, title=title) for one, title in mine[:SHOWN])
                return AlmostFull(of=scope, percent=first.percent, first=going)
        return None
