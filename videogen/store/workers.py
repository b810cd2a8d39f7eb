"""The processes of one installation: what each renders, which it announces while it lives, and their common key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete
from sqlmodel import col, select

from videogen.db.operating_tables import InstallationRow, WorkerRow
from videogen.store.base import BaseStore, database_clock

WORKERS = "workers"
"""The channel on which a process tells that it begins or ends."""
_FORGET_SECONDS = 3600.0
"""So long after its worker has gone, what is submitted for an engine is taken, and waits."""


class Offer(NamedTuple):
    """One engine of one process, or of all of them."""

    slots: int
    """How many generations it renders at once."""
    capabilities: dict[str, Any]
    version: str = ""
    """Of the engine there; empty if the process has not said."""


class WorkerStore(BaseStore):
    """Reads and writes the announcements. Their times are in the clock of the database."""

    def announce(self, owner: str, offers: Mapping[str, Offer], *, begins: bool = False) -> None:
        """Store that a process renders these engines, by id, and lives.

        Args:
            owner: the id of the process.
            offers: what it renders.
            begins: whether the others are to look at once.
        """
        engines = {name: one._asdict() for name, one in offers.items()}
        with self.database.write(exclusive=False, durable=False) as unit:
            now = self.lease_time(unit)
            unit.session.merge(WorkerRow(id=owner, engines=engines, seen_at=now))
            unit.connection.execute(delete(WorkerRow).where(col(WorkerRow.seen_at) < now - _FORGET_SECONDS))
            if begins:
                unit.notify(WORKERS, owner)

    def has_key(self, digest: str) -> bool:
        """Whether this database was first used with the secret key of this digest, or is now."""
        with self.database.read() as session:
            row = session.get(InstallationRow, 1)
        if row is None:
            with self.database.write() as unit:
                row = unit.session.get(InstallationRow, 1) or InstallationRow(id=1, key_digest=digest)
                unit.session.add(row)
        return row.key_digest == digest

    def withdraw(self, owner: str) -> None:
        """Store that a process renders nothing more."""
        with self.database.write(exclusive=False) as unit:
            row = unit.session.get(WorkerRow, owner)
            if row is not None:
                row.engines = {name: one | {"slots": 0} for name, one in row.engines.items()}
            unit.notify(WORKERS, owner)

    def offers(self, seconds: float) -> dict[str, Offer]:
        """What the processes offer that lived in the last hour, by engine; the `slots` are those of the living.

        `seconds`: a process that has announced nothing for so long is dead.
        """
        recent = select(WorkerRow.engines, col(WorkerRow.seen_at) > database_clock() - seconds)
        found: dict[str, Offer] = {}
        with self.database.read(snapshot=False) as session:
            for engines, lives in session.exec(recent.order_by(col(WorkerRow.seen_at))):
                for name, one in engines.items():
                    before = found[name].slots if name in found else 0
                    # A newer version may say more.
                    known = {key: one[key] for key in Offer._fields if key in one}
                    found[name] = Offer(**known | {"slots": before + (one["slots"] if lives else 0)})
        return found
