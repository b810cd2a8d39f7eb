"""Retention: until when what has ended is kept, what was used last, and removal for good, in small batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, exists, false, func, or_, select, true, update
from sqlmodel import col

from videogen.core.config import AppConfig
from videogen.core.in_use import RECENT_SECONDS
from videogen.db.tables import EventRow, FileRow, GenerationRow, ProjectRow, ShareRow, UploadRow
from videogen.schemas.status import TERMINAL
from videogen.store.base import BaseStore, get_owned, sum_of, visible
from videogen.store.removals import note_removals

USED_SECONDS: Final = 3600.0
"""How old the stored time of the last use must be before a newer one is written."""
ALMOST_FULL: Final = 0.85
"""The part of a storage limit from which on one is warned of what goes first."""
MOST_FIRST: Final = 1000
"""How many generations of all such a warning may name."""
WARNING_PART: Final = 0.1
MAX_WARNING_SECONDS: Final = 24 * 3600.0
"""The last part of the time in which one is warned; at most so long."""


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long things are kept, and how much."""

    seconds: float = 0.0
    """From the end, or the last Keep; 0: for ever."""
    keeps_favorites: bool = True
    keeps_shared: bool = True
    """Whether favourites, and what has a public link, are kept for ever."""
    max_bytes: int = 0
    max_bytes_per_session: int = 0
    """0: no limit. Without `seconds` nothing is removed at a limit."""

    @classmethod
    def of(cls, config: AppConfig) -> Self:
        """What the settings say."""
        return cls(
            seconds=config.retention_hours * 3600,
            keeps_favorites=config.retention_favorites == "keep",
            keeps_shared=config.retention_shared == "keep",
            max_bytes=round(config.max_storage_gb * 1e9),
            max_bytes_per_session=round(config.max_storage_mb_per_session * 1e6),
        )

    @property
    def warning_seconds(self) -> float:
        """For how long before it goes one is warned."""
        return min(self.seconds * WARNING_PART, MAX_WARNING_SECONDS)

    def expires_at(self, row: GenerationRow, *, is_shared: bool) -> float | None:
        """Until when a generation is kept, in seconds since the epoch; None: for ever, or not known before its end."""
        is_kept = (self.keeps_favorites and row.favorite) or (self.keeps_shared and is_shared)
        return None if not self.seconds or row.kept_from is None or is_kept else row.kept_from + self.seconds

    def removable(self, now: float) -> ColumnElement[bool]:
        """The SQL condition that a generation is not kept for ever."""
        kept: list[ColumnElement[bool]] = [col(GenerationRow.favorite).is_(True)] if self.keeps_favorites else []
        kept += [_is_shared(now)] if self.keeps_shared else []
        # It is set at the end, and nothing has another end.
        return and_(col(GenerationRow.kept_from).is_not(None), ~or_(false(), *kept))

    def unused(self, now: float) -> ColumnElement[bool]:
        """The same, and it was not used a moment ago, at whatever process."""
        used_at, kept_from = col(GenerationRow.used_at), col(GenerationRow.kept_from)
        return and_(self.removable(now), ~and_(used_at > now - RECENT_SECONDS, used_at > kept_from))

    def due(self, now: float) -> ColumnElement[bool]:
        """The SQL condition that its time is over, and it was not used a moment ago."""
        return and_(col(GenerationRow.kept_from) <= now - self.seconds, self.unused(now))


def _is_shared(now: float) -> ColumnElement[bool]:
    unexpired = or_(col(ShareRow.expires_at).is_(None), col(ShareRow.expires_at) > now)
    return exists().where(col(ShareRow.generation_id) == col(GenerationRow.id), unexpired)


@dataclass(frozen=True, slots=True)
class FirstToGo:
    """What goes first of a storage that is almost full."""

    percent: int = 0
    by_session: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """By session: ids, and titles or else prompts, the least recently used first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generation that may be removed."""

    id: str
    session_id: str
    size_bytes: int
    """Of all its files."""


_SIZE: Final = (
    select(sum_of(FileRow.size_bytes))
    .where(col(FileRow.generation_id) == col(GenerationRow.id))
    .correlate(GenerationRow)
    .scalar_subquery()
)
_CANDIDATE: Final = (col(GenerationRow.id), col(GenerationRow.session_id), _SIZE)


class RetentionStore(BaseStore):
    """What is kept until when. Each query of an owner checks ownership."""

    def shared_ids(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these generations that have a public link."""
        query = select(col(GenerationRow.id)).where(col(GenerationRow.id).in_(ids), _is_shared(self.clock()))
        with self.database.read() as session:
            return frozenset(session.scalars(query))

    def keep(self, session_id: str, generation_id: str) -> GenerationRow:
        """Let the retention of a generation count from now; of one that has not ended it counts from its end anyway.

        Raises:
            NotFoundError: see `get_owned`.
        """
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if row.status in TERMINAL:
                row.kept_from = row.used_at = self.clock()
                unit.session.add(row)
            return row

    def expiring(
        self, session_id: str, rules: RetentionRules, limit: int = 100
    ) -> tuple[list[GenerationRow], float | None]:
        """What of a session goes within the time of the warning, the next one first; and when the one after it goes."""
        now = self.clock()
        mine = (col(GenerationRow.session_id) == session_id, visible(), rules.removable(now))
        kept_from = col(GenerationRow.kept_from)
        warned_from = now - rules.seconds + rules.warning_seconds
        soon = select(GenerationRow).where(*mine, kept_from <= warned_from).order_by(kept_from).limit(limit)
        later = select(func.min(kept_from)).where(*mine, kept_from > warned_from)
        with self.database.read() as session:
            rows, following = list(session.scalars(soon)), session.scalar(later)
        return rows, None if following is None else following + rules.seconds

    def write_generation_uses(self, uses: Mapping[str, float], older_by: float = USED_SECONDS) -> None:
        """Write when generations were used last, where what is stored is so many seconds older.

        `uses`: times by the ids of generations, or of sessions for all that they have.
        """
        if not uses:
            return
        which = or_(*(column == bindparam("name") for column in (col(GenerationRow.id), col(GenerationRow.session_id))))
        old = update(GenerationRow).where(which, col(GenerationRow.used_at) <= bindparam("before"))
        values = [{"name": name, "at": at, "before": at - older_by} for name, at in uses.items()]
        with self.database.write(exclusive=False) as unit:
            unit.connection.execute(old.values(used_at=bindparam("at")), values)

    def due_for_retention(self, rules: RetentionRules, without: Collection[str], limit: int) -> list[Candidate]:
        """Generations whose time is over, the longest overdue first."""
        query = select(*_CANDIDATE).where(rules.due(self.clock()), col(GenerationRow.id).not_in(list(without)))
        return self._candidates(query.order_by(col(GenerationRow.kept_from), col(GenerationRow.seq)).limit(limit))

    def next_expiry(self, rules: RetentionRules) -> float | None:
        """When the next one may go whose time is not over yet, or that is in use; None: nothing is to go."""
        now, kept_from, used_at = self.clock(), col(GenerationRow.kept_from), col(GenerationRow.used_at)
        later = kept_from > now - rules.seconds
        query = select(
            func.min(case((later, kept_from))) + rules.seconds,
            func.min(case((and_(~later, used_at > now - RECENT_SECONDS), used_at))) + RECENT_SECONDS,
        )
        with self.database.read() as session:
            found = session.execute(query.where(rules.removable(now))).one()
        return min((at for at in found if at is not None), default=None)

    def least_recently_used(
        self, rules: RetentionRules, session_id: str | None, without: Collection[str], limit: int
    ) -> list[Candidate]:
        """Generations that may go where the storage is full, of a session or of all; the least recently used first."""
        of_session = true() if session_id is None else col(GenerationRow.session_id) == session_id
        allowed = (of_session, rules.unused(self.clock()), col(GenerationRow.id).not_in(list(without)))
        order = (col(GenerationRow.used_at), col(GenerationRow.seq))
        return self._candidates(select(*_CANDIDATE).where(*allowed).order_by(*order).limit(limit))

    def first_to_go(self, rules: RetentionRules, session_id: str | None) -> FirstToGo:
        """What goes first where the storage of a session, or of all, is `ALMOST_FULL`; empty where it is not."""
        limit = rules.max_bytes if session_id is None else rules.max_bytes_per_session
        stored = self.stored_bytes(session_id) if limit and rules.seconds else 0
        excess = stored - limit * ALMOST_FULL
        if not stored or excess <= 0:
            return FirstToGo()
        of_session = true() if session_id is None else col(GenerationRow.session_id) == session_id
        name = func.coalesce(func.nullif(col(GenerationRow.title), ""), col(GenerationRow.prompt))
        query = select(*_CANDIDATE, name).where(of_session, rules.removable(self.clock()))
        found: dict[str, list[tuple[str, str]]] = {}
        with self.database.read() as session:
            for one, owner, size, title in session.connection().execute(
                query.order_by(col(GenerationRow.used_at)).limit(MOST_FIRST)
            ):
                found.setdefault(owner, []).append((one, title))
                if (excess := excess - size) <= 0:
                    break
        return FirstToGo(round(100 * stored / limit), found)

    def _candidates(self, query: Any) -> list[Candidate]:
        with self.database.read() as session:
            return [Candidate(*row) for row in session.connection().execute(query)]

    def stored_bytes(self, session_id: str | None = None) -> int:
        """The size of all files and uploads of a session, or of all sessions, in bytes. An index has every number."""
        total = 0
        with self.database.read() as session:
            for table in (FileRow, UploadRow):
                of_session = true() if session_id is None else col(table.session_id) == session_id
                query = select(sum_of(table.size_bytes)).where(of_session)
                total += session.connection().execute(query).scalar_one()
        return total

    def removable_bytes(self, rules: RetentionRules, session_id: str | None = None) -> int:
        """The size of all files of what may go, of a session or of all."""
        of_session = true() if session_id is None else col(FileRow.session_id) == session_id
        files = select(sum_of(FileRow.size_bytes)).join(
            GenerationRow, col(GenerationRow.id) == col(FileRow.generation_id)
        )
        with self.database.read() as session:
            query = files.where(of_session, rules.removable(self.clock()))
            return int(session.connection().execute(query).scalar_one())

    def sessions_above(self, size_bytes: int) -> list[str]:
        """The sessions whose files and uploads are larger than this together."""
        totals: dict[str, int] = {}
        with self.database.read() as session:
            for table in (FileRow, UploadRow):
                query = select(col(table.session_id), sum_of(table.size_bytes)).group_by(col(table.session_id))
                for session_id, size in session.connection().execute(query):
                    totals[session_id] = totals.get(session_id, 0) + size
        return [session_id for session_id, size in totals.items() if size > size_bytes]

    def remove_ended(self, ids: Sequence[str], still: ColumnElement[bool]) -> frozenset[str]:
        """Remove generations with their events, files' rows and empty projects, in one short transaction.

        Args:
            ids: the generations.
            still: a condition that must still hold; it is asked in the transaction.

        Returns:
            the ids of those that were removed.
        """
        wanted = select(col(GenerationRow.id), col(GenerationRow.project_id)).where(
            col(GenerationRow.id).in_(ids), still
        )
        with self.database.write() as unit:
            rows = unit.connection.execute(wanted).all()
            gone, projects = [row.id for row in rows], {row.project_id for row in rows}
            note_removals(unit, gone, self.clock())
            for table in (EventRow, FileRow):
                unit.connection.execute(delete(table).where(col(table.generation_id).in_(gone)))
            unit.connection.execute(delete(GenerationRow).where(col(GenerationRow.id).in_(gone)))
            in_use = exists().where(col(GenerationRow.project_id) == col(ProjectRow.id))
            unit.connection.execute(delete(ProjectRow).where(col(ProjectRow.id).in_(projects), ~in_use))
        return frozenset(gone)
