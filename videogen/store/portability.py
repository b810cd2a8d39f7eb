"""What a session takes along, and what it brings in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select

from videogen.core.errors import NotFoundError
from videogen.db.tables import FileRow, GenerationRow, OriginRow, ProjectRow
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore
from videogen.store.events import append_event
from videogen.store.trash import in_sight

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Arrival:
    """One generation that was made elsewhere, with its files, which are in the storage already."""

    origin_id: str
    project: ProjectRow
    generation: GenerationRow
    files: tuple[FileRow, ...]


class LibraryStore(BaseStore):
    """Exports and imports."""

    def ended(
        self, session_id: str, ids: Sequence[str] | None = None
    ) -> Iterator[tuple[GenerationRow, list[FileRow], str | None]]:
        """Every generation that has ended, oldest first, with its files and the id it was first made under, if another.

        With `ids` only those of them. Read page by page, so that a long history is never in memory whole.
        """
        after = 0
        chosen = [] if ids is None else [col(GenerationRow.id).in_(ids)]
        while True:
            with self.database.read() as session:
                rows = session.exec(
                    select(GenerationRow, OriginRow.origin_id)
                    .join(OriginRow, col(OriginRow.generation_id) == col(GenerationRow.id), isouter=True)
                    .where(
                        GenerationRow.session_id == session_id,
                        col(GenerationRow.status).in_(TERMINAL),
                        col(GenerationRow.seq) > after,
                        in_sight(),
                        *chosen,
                    )
                    .order_by(col(GenerationRow.seq))
                    .limit(_PAGE)
                ).all()
                ids = [row.id for row, _ in rows]
                files = session.exec(select(FileRow).where(col(FileRow.generation_id).in_(ids))).all()
            for row, origin in rows:
                yield row, [file for file in files if file.generation_id == row.id], origin
                after = row.seq or after
            if len(rows) < _PAGE:
                return

    def measure(self, session_id: str, ids: Sequence[str]) -> tuple[int, int]:
        """How many of these are finished and of this session, and the bytes of their results."""
        query = select(func.count(), func.coalesce(func.sum(GenerationRow.size_bytes), 0)).where(
            GenerationRow.session_id == session_id,
            col(GenerationRow.id).in_(ids),
            GenerationRow.status == Status.COMPLETED,
            in_sight(),
        )
        with self.database.read() as session:
            count, size = session.exec(query).one()
        return count, size or 0

    def count_active(self, session_id: str) -> int:
        """How many have not ended."""
        with self.database.read() as session:
            query = select(func.count()).select_from(GenerationRow)
            active = col(GenerationRow.status).not_in(TERMINAL)
            return session.exec(query.where(GenerationRow.session_id == session_id, active)).one()

    def known_origins(self, session_id: str) -> set[str]:
        """The ids under which everything in this session was first made."""
        with self.database.read() as session:
            own = session.exec(select(GenerationRow.id).where(GenerationRow.session_id == session_id)).all()
            came = session.exec(select(OriginRow.origin_id).where(OriginRow.session_id == session_id)).all()
        return {*own, *came}

    def bring_in(self, session_id: str, arrivals: list[Arrival]) -> list[str]:
        """Store what came, all of it or nothing, and tell it; return the ids that are new.

        One that another import has brought in the meantime is left out.

        Raises:
            NotFoundError: the session is gone.
        """
        brought = []
        try:
            with self.database.write() as unit:
                came = set(
                    unit.session.exec(select(OriginRow.origin_id).where(OriginRow.session_id == session_id)).all()
                )
                for arrival in arrivals:
                    if arrival.origin_id in came:
                        continue
                    generation = arrival.generation
                    unit.session.add(arrival.project)
                    unit.session.flush()
                    unit.session.add(generation)
                    unit.session.flush()
                    unit.session.add_all(arrival.files)
                    unit.session.add(
                        OriginRow(session_id=session_id, origin_id=arrival.origin_id, generation_id=generation.id)
                    )
                    unit.session.flush()
                    append_event(unit, generation)
                    brought.append(generation.id)
        except IntegrityError as problem:
            raise NotFoundError from problem
        return brought
