"""What visitors have reported, and what the moderation hook has flagged, for the operator."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy
from sqlalchemy import func, or_
from sqlmodel import col, delete, select

from videogen.db.operating_tables import ReportRow
from videogen.db.tables import GenerationRow, ShareRow
from videogen.store.base import BaseStore

MAX_REPORTS: Final = 20
"""Of one generation; with more, the oldest are removed."""


class ReportStore(BaseStore):
    """Reports and flags of all sessions."""

    def add_report(self, report: ReportRow) -> None:
        """Store a report."""
        same = col(ReportRow.generation_id) == report.generation_id
        newest = select(ReportRow.id).where(same).order_by(col(ReportRow.created_at).desc()).limit(MAX_REPORTS)
        with self.database.write() as unit:
            unit.session.add(report)
            unit.session.flush()
            unit.session.exec(delete(ReportRow).where(same, col(ReportRow.id).not_in(newest)))

    def public_slugs(self, ids: Collection[str]) -> dict[str, str]:
        """The slugs of the public links of these generations that hold, by id."""
        unexpired = or_(col(ShareRow.expires_at).is_(None), col(ShareRow.expires_at) > self.clock())
        query = select(ShareRow.generation_id, ShareRow.slug).where(col(ShareRow.generation_id).in_(ids), unexpired)
        with self.database.read() as session:
            return {one: slug for one, slug in session.exec(query) if one is not None}

    def list_reported(self, limit: int) -> list[tuple[GenerationRow, int, str]]:
        """The generations with reports, the newest report first: each with their number and its words."""
        same = col(ReportRow.generation_id)
        newest_first = func.row_number().over(partition_by=same, order_by=col(ReportRow.created_at).desc())
        of_each = sqlalchemy.select(
            *(same, col(ReportRow.words), col(ReportRow.created_at)),
            func.count().over(partition_by=same).label("number"),
            newest_first.label("place"),
        ).subquery()
        query = (
            select(GenerationRow, of_each.c.number, of_each.c.words)
            .join(of_each, of_each.c.generation_id == col(GenerationRow.id))
            .where(of_each.c.place == 1)
            .order_by(of_each.c.created_at.desc())
            .limit(limit)
        )
        with self.database.read() as session:
            return [(row, count, words) for row, count, words in session.exec(query)]

    def list_flagged(self, limit: int) -> list[GenerationRow]:
        """The generations that the hook has flagged, newest first."""
        query = select(GenerationRow).where(col(GenerationRow.flagged).is_not(None))
        with self.database.read() as session:
            return list(session.exec(query.order_by(col(GenerationRow.seq).desc()).limit(limit)))
