"""Queries of exports and imports."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy
from sqlalchemy import bindparam, update
from sqlmodel import col, func, select

from videogen.core.errors import NotFoundError
from videogen.db.backend import missing_reference
from videogen.db.database import UnitOfWork
from videogen.db.tables import FileRow, GenerationRow, OriginRow, ProjectRow
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore, count_generations, sum_of, visible
from videogen.store.events import append_event
from videogen.store.merge import current_session

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class ImportedGeneration:
    """One generation of an export, as rows. Its files are in the storage already."""

    origin_id: str
    project: ProjectRow
    generation: GenerationRow
    files: Sequence[FileRow]

    @property
    def rows(self) -> tuple[ProjectRow | GenerationRow | FileRow, ...]:
        """All that has an owner."""
        return self.project, self.generation, *self.files


@dataclass(frozen=True, slots=True)
class KnownGeneration:
    """A generation of the session that an export names too."""

    id: str
    type: str
    status: str
    files: Mapping[str, tuple[str | None, str | None]]
    """The id and the storage key of its result and its poster, by kind; None where there is none."""


class PortabilityStore(BaseStore):
    """What exports read and imports write."""

    def iter_finished(
        self, session_id: str, ids: Sequence[str] | None = None
    ) -> Iterator[tuple[GenerationRow, list[FileRow], str | None]]:
        """Yield each generation that has ended, oldest first, with its files and the id under which it was first made.

        That id is None for a generation that was made here. With `ids`, only these generations. Rows are read page by
        page, so that memory use does not grow with the history.
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
                        visible(),
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

    def measure_completed(self, session_id: str, ids: Sequence[str]) -> tuple[int, int]:
        """How many of these generations are completed and of this session, and the size of their results in bytes."""
        query = select(func.count(), sum_of(GenerationRow.size_bytes)).where(
            GenerationRow.session_id == session_id,
            col(GenerationRow.id).in_(ids),
            GenerationRow.status == Status.COMPLETED,
            visible(),
        )
        with self.database.read() as session:
            count, size = session.exec(query).one()
        return count, size or 0

    def completed_titles(self, session_id: str, ids: Sequence[str]) -> list[str]:
        """The title, or else the prompt, of those of these generations that are completed; in the order of `ids`."""
        query = select(GenerationRow.id, GenerationRow.title, GenerationRow.prompt).where(
            GenerationRow.session_id == session_id,
            col(GenerationRow.id).in_(ids),
            GenerationRow.status == Status.COMPLETED,
            visible(),
        )
        with self.database.read() as session:
            titles = {generation_id: title or prompt for generation_id, title, prompt in session.exec(query)}
        return [titles[generation_id] for generation_id in ids if generation_id in titles]

    def count_active(self, session_id: str) -> int:
        """How many generations are queued or running."""
        with self.database.read() as session:
            active = col(GenerationRow.status).not_in(TERMINAL)
            return count_generations(session, GenerationRow.session_id == session_id, active)

    def known_generations(self, session_id: str, origins: Collection[str]) -> dict[str, KnownGeneration]:
        """Those of these generations that this session has, by the id under which they were first made."""
        table = GenerationRow
        query = (
            sqlalchemy.select(
                *(col(table.id), col(table.type), col(table.status), col(table.file_id), col(table.poster_file_id)),
                col(OriginRow.origin_id),
            )
            .join(OriginRow, col(OriginRow.generation_id) == col(table.id), isouter=True)
            .where(col(table.session_id) == session_id)
        )
        with self.database.read() as session:
            rows = session.connection().execute(query).all()
            file_keys = select(FileRow.id, FileRow.key).where(FileRow.session_id == session_id)
            keys: dict[str | None, str] = dict(session.exec(file_keys).all())
        known: dict[str, KnownGeneration] = {}
        wanted = set(origins)
        for row in rows:
            files = {row.type: (row.file_id, keys.get(row.file_id))}
            if row.poster_file_id is not None:
                files["poster"] = (row.poster_file_id, keys.get(row.poster_file_id))
            generation = KnownGeneration(row.id, row.type, row.status, files)
            known |= dict.fromkeys({row.id, row.origin_id} & wanted, generation)
        return known

    def import_generations(
        self,
        session_id: str,
        added: Sequence[ImportedGeneration],
        repaired: Sequence[FileRow],
        origins: Collection[str],
        flagged: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Store an import in one transaction, and publish the generations that are new.

        Args:
            session_id: the owner.
            added: generations that are new here. One that another import has stored in the meantime is left out.
            repaired: files of generations that are here already. One whose generation is gone is left out.
            origins: whatever was first made under these ids is taken out of the trash.
            flagged: why the moderation hook flagged some of those that are here already, by id.

        Returns:
            the ids of the generations that came out of the trash, were repaired or were added, oldest first.

        Raises:
            NotFoundError: the session is gone.
        """
        with missing_reference(NotFoundError), self.database.write() as unit:
            session_id = current_session(unit, session_id)
            for owned in (*repaired, *(row for entry in added for row in entry.rows)):
                owned.session_id = session_id
            here = {
                **_restore(unit, session_id, origins, self.clock()),
                **_repair(unit, session_id, repaired, flagged or {}),
            }
            stored = select(OriginRow.origin_id).where(OriginRow.session_id == session_id)
            new = self._add(unit, added, set(unit.session.exec(stored)))
        return [*sorted(here, key=lambda generation_id: here[generation_id]), *new]

    def _add(self, unit: UnitOfWork, added: Sequence[ImportedGeneration], stored: set[str]) -> list[str]:
        new = [entry for entry in added if entry.origin_id not in stored]
        # Table by table: one statement stores many rows, so that others wait for this transaction only briefly.
        unit.session.add_all([entry.project for entry in new])
        unit.session.flush()
        unit.session.add_all([entry.generation for entry in new])
        unit.session.flush()
        for entry in new:
            generation = entry.generation
            origin = OriginRow(session_id=generation.session_id, origin_id=entry.origin_id, generation_id=generation.id)
            unit.session.add_all([*entry.files, origin])
        unit.session.flush()
        for entry in new:
            append_event(unit, entry.generation, imported=True)
        return [entry.generation.id for entry in new]


def _restore(unit: UnitOfWork, session_id: str, origins: Collection[str], now: float) -> dict[str, int]:
    """Take what was first made under these ids out of the trash; return it as id and sequence number."""
    query = (
        select(GenerationRow.id, GenerationRow.seq, OriginRow.origin_id)
        .join(OriginRow, col(OriginRow.generation_id) == col(GenerationRow.id), isouter=True)
        .where(GenerationRow.session_id == session_id, col(GenerationRow.trashed_until) > now)
    )
    rows = [row for row in unit.connection.execute(query) if row.id in origins or row.origin_id in origins]
    if rows:
        restore = update(GenerationRow).where(col(GenerationRow.id) == bindparam("row_id")).values(trashed_until=None)
        unit.connection.execute(restore, [{"row_id": row.id} for row in rows])
    return {row.id: row.seq for row in rows}


def _repair(unit: UnitOfWork, session_id: str, files: Sequence[FileRow], flagged: Mapping[str, str]) -> dict[str, int]:
    """Store the rows of files and link them to their generations; return these as id and sequence number."""
    repaired = {}
    for file in files:
        query = select(GenerationRow).where(
            GenerationRow.id == file.generation_id, GenerationRow.session_id == session_id
        )
        generation = unit.session.exec(query).first()
        if generation is None:
            continue
        unit.session.merge(file)
        if file.kind == "poster":
            generation.poster_file_id = file.id
        else:
            generation.file_id, generation.size_bytes = file.id, file.size_bytes
        generation.flagged = flagged.get(generation.id, generation.flagged)
        repaired[generation.id] = generation.seq or 0
    unit.session.flush()
    return repaired
