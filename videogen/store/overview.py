"""What the operator sees of all sessions together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import col

from videogen.db.tables import DeviceRow, FileRow, GenerationRow, SessionRow, UploadRow
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore, sum_of
from videogen.store.counts import ACTIVE
from videogen.store.queue_order import HAS_STARTED


@dataclass(slots=True)
class SessionUse:
    """What one session has made and keeps."""

    id: str
    created_at: float = 0.0
    last_seen_at: float | None = None
    paused: bool = False
    generations: int = 0
    recent: int = 0
    """Generations submitted since the given time."""
    active: int = 0
    bytes: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the generations of one engine have ended."""

    statuses: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


class OverviewStore(BaseStore):
    """Lists and sums over all sessions. No query of an owner."""

    def list_active(self, limit: int) -> list[GenerationRow]:
        """What runs, then what waits, the next one of each engine first; at most `limit` of them."""
        place = func.coalesce(col(GenerationRow.queue_position), 2**31)
        order = (col(GenerationRow.status) == Status.QUEUED, HAS_STARTED.desc(), place, col(GenerationRow.seq))
        query = select(GenerationRow).where(col(GenerationRow.status).in_(ACTIVE)).order_by(*order).limit(limit)
        with self.database.read() as session:
            return list(session.scalars(query))

    def outcomes(self, since: float) -> dict[str, Outcomes]:
        """What has ended since then, by engine, without what was imported."""
        # An index has `used_at`, which is never before the end.
        ended = (col(GenerationRow.used_at) >= since, col(GenerationRow.finished_at) >= since, HAS_STARTED)
        columns = (col(GenerationRow.engine), col(GenerationRow.status), col(GenerationRow.error_code))
        query = select(*columns, func.count()).where(*ended, col(GenerationRow.status).in_(TERMINAL)).group_by(*columns)
        outcomes: dict[str, Outcomes] = {}
        with self.database.read() as session:
            for engine, status, code, count in session.connection().execute(query):
                one = outcomes.setdefault(engine, Outcomes())
                one.statuses[status] += count
                if status == Status.FAILED and code:
                    one.codes[code] += count
        return outcomes

    def session_uses(self, since: float) -> list[SessionUse]:
        """All sessions, those with the most submits since then first, then those with the most bytes."""
        uses: dict[str, SessionUse] = {}
        with self.database.read() as session:
            read = session.connection().execute
            for owner, created_at, paused in read(
                select(col(SessionRow.id), col(SessionRow.created_at), col(SessionRow.queue_paused))
            ):
                uses[owner] = SessionUse(owner, created_at, paused=paused)
            for owner, count, recent, active in read(_generations(since)):
                use = uses[owner]
                use.generations, use.recent, use.active = count, recent, active
            seen = func.max(DeviceRow.last_seen_at)
            for owner, last_seen_at in read(
                select(col(DeviceRow.session_id), seen).group_by(col(DeviceRow.session_id))
            ):
                uses[owner].last_seen_at = last_seen_at
            for table in (FileRow, UploadRow):
                columns = (col(table.session_id), sum_of(table.size_bytes), func.count())
                for owner, size, count in read(select(*columns).group_by(col(table.session_id))):
                    uses[owner].bytes += size
                    uses[owner].files += count
        return sorted(uses.values(), key=lambda use: (-use.recent, -use.bytes))


def _generations(since: float) -> Any:
    """Counts of generations by session."""
    recent = func.sum(case((col(GenerationRow.created_at) >= since, 1), else_=0))
    active = func.sum(case((col(GenerationRow.status).in_(ACTIVE), 1), else_=0))
    owner = col(GenerationRow.session_id)
    return select(owner, func.count(), recent, active).group_by(owner)
