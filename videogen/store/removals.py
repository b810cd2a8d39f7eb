"""Removals in two steps: the rows of a generation in one transaction, and its files after that.

The transaction also notes that the files are to be removed, so that whoever comes after a crash goes on. Where several
processes use the storage, the end of a render notes it as well: of its checkpoints and previews nothing is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert
from sqlmodel import col, delete, select

from videogen.db.backend import POSTGRESQL
from videogen.db.database import UnitOfWork
from videogen.db.operating_tables import RemovalRow
from videogen.store.base import BaseStore, database_clock


class RemovalStore(BaseStore):
    """Which generations are removed, or have ended, and may still have files that are not kept."""

    def list_removals(self, seconds: float = 0.0) -> list[str]:
        """The ids of those that were noted at least so many seconds ago."""
        with self.database.read(snapshot=False) as session:
            before = _now(session.connection(), self.clock()) - seconds
            return list(session.exec(select(RemovalRow.generation_id).where(RemovalRow.created_at <= before)))

    def end_removals(self, ids: Collection[str]) -> None:
        """Note that nothing is left of these generations but what is kept."""
        if ids:
            with self.database.write(exclusive=False, durable=False) as unit:
                unit.connection.execute(delete(RemovalRow).where(col(RemovalRow.generation_id).in_(ids)))


def note_removals(unit: UnitOfWork, ids: Collection[str], now: float) -> None:
    """Note that the files of these generations are to be removed."""
    # An import may have brought back one whose removal is not complete yet.
    unit.connection.execute(delete(RemovalRow).where(col(RemovalRow.generation_id).in_(ids)))
    if ids:
        at = _now(unit.connection, now)
        unit.connection.execute(insert(RemovalRow).values([{"generation_id": name, "created_at": at} for name in ids]))


def note_end(unit: UnitOfWork, generation_id: str, now: float) -> None:
    """Note that a render has ended, where another process may have to remove what it leaves in the storage."""
    if unit.connection.dialect.name == POSTGRESQL:
        note_removals(unit, [generation_id], now)


def _now(connection: Connection, now: float) -> Any:
    """The time: on PostgreSQL in the clock that all processes have in common."""
    return database_clock() if connection.dialect.name == POSTGRESQL else now
