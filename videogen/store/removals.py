"""Removals in two steps: the rows of a generation in one transaction, and its files after that.

The transaction also notes that the files are to be removed, so that whoever comes after a crash goes on.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert
from sqlmodel import col, delete, select

from videogen.db.database import UnitOfWork
from videogen.db.operating_tables import RemovalRow
from videogen.store.base import BaseStore


class RemovalStore(BaseStore):
    """Which generations are removed, and may still have files."""

    def list_removals(self, seconds: float = 0.0) -> list[str]:
        """The ids of generations whose rows were deleted at least so many seconds ago."""
        query = select(RemovalRow.generation_id).where(RemovalRow.created_at <= self.clock() - seconds)
        with self.database.read() as session:
            return list(session.exec(query))

    def end_removals(self, ids: Collection[str]) -> None:
        """Note that nothing is left of these generations."""
        if ids:
            with self.database.write(exclusive=False) as unit:
                unit.connection.execute(delete(RemovalRow).where(col(RemovalRow.generation_id).in_(ids)))


def note_removals(unit: UnitOfWork, ids: Collection[str], now: float) -> None:
    """Note that the files of these generations are to be removed."""
    # An import may have brought back one whose removal is not complete yet.
    unit.connection.execute(delete(RemovalRow).where(col(RemovalRow.generation_id).in_(ids)))
    if ids:
        unit.connection.execute(insert(RemovalRow), [{"generation_id": name, "created_at": now} for name in ids])
