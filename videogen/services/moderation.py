"""What the operator's moderation hook says of requests, and what visitors report."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from videogen.core.errors import InputMissingError, NotFoundError
from videogen.core.security import new_id
from videogen.db.operating_tables import ReportRow
from videogen.db.tables import GenerationRow, ProjectRow
from videogen.jobs.moderation import Item
from videogen.schemas.sharing import Report
from videogen.services.parts import Parts
from videogen.services.submission import IMAGES
from videogen.services.visitor_limits import RateLimits

logger = logging.getLogger(__name__)
_SHOWN: Final = ("prompt", "negative_prompt", "engine", "type", *IMAGES)


class ModerationService:
    """Every method blocks: call it from a thread."""

    def __init__(self, parts: Parts, rates: RateLimits) -> None:
        self._parts, self._store, self._rates = parts, parts.store, rates

    def review(self, project: ProjectRow, rows: Sequence[GenerationRow]) -> None:
        """Ask about a submit, whose rows differ in their seeds alone, and note a flag in them.

        Raises:
            ModerationRefusedError, ModerationUnavailableError: see `Moderator.check`.
        """
        if self._parts.moderator.hook is None:
            return
        if project.idempotency_key and self._store.known_project(project):
            return  # it was accepted before
        words = self._ask(rows[0].session_id, {name: getattr(rows[0], name) for name in _SHOWN})
        for row in rows:
            row.flagged = words
            if words is not None:
                logger.warning("%s was flagged before it was queued: %s", row.id, words)

    def review_edit(self, row: GenerationRow, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Ask about a queued generation with these columns changed; the column to change for a flag.

        Raises:
            ModerationRefusedError, ModerationUnavailableError: see `Moderator.check`.
        """
        if self._parts.moderator.hook is None:
            return {}
        fields = {name: changes.get(name, getattr(row, name)) for name in _SHOWN}
        return {"flagged": self._ask(row.session_id, fields)}

    def _ask(self, session_id: str, fields: dict[str, Any]) -> str | None:
        with ExitStack() as copies:
            images = tuple(self._image(session_id, fields.pop(name), copies) for name in IMAGES if fields[name])
            shown = {name: value for name, value in fields.items() if name not in IMAGES}
            shown |= {"session": session_id, "account": self._store.username_of(session_id)}
            return self._parts.moderator.check(Item(stage="request", images=images, **shown))

    def _image(self, session_id: str, file_id: str, copies: ExitStack) -> Path:
        try:
            upload = self._store.get_upload(session_id, file_id)
            return copies.enter_context(self._parts.storage.local_copy(upload.key))
        except (NotFoundError, OSError):
            raise InputMissingError from None

    def report(self, report: Report, address: str) -> None:
        """Store what a visitor reports about a public link.

        Raises:
            NotFoundError: there is no such link, or it has ended.
            LimitExceededError: too many reports from this address.
        """
        _, row = self._store.find_share(report.slug)
        if row is None:
            raise NotFoundError
        self._rates.count("reports", address)
        words = " ".join(report.reason.split())
        logger.warning("%s was reported by a visitor of its public link: %s", row.id, words)
        self._store.add_report(
            ReportRow(id=new_id("rep"), generation_id=row.id, words=words, created_at=self._store.clock())
        )
