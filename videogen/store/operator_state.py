"""The acts of the operator: hold the whole queue, cancel, ban. Each is written with its entry in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Self

from sqlalchemy import and_, or_, update
from sqlmodel import col, delete, select

from videogen.core.errors import NotFoundError, NotTerminalError
from videogen.db.database import UnitOfWork
from videogen.db.operating_tables import AuditRow, BanRow, OperatorRow, ReportRow
from videogen.db.tables import GenerationRow, SessionRow, ShareRow
from videogen.schemas.status import TERMINAL
from videogen.store.base import BaseStore, count_anew, require
from videogen.store.generations import request_cancel
from videogen.store.permissions import START
from videogen.store.trash import remove

BanKind = Literal["session", "address"]
OPERATOR: Final = "operator"
"""The channel on which all processes hear what the operator has decided."""
AUDIT_KEPT: Final = 10_000
"""Entries of the audit log; with more, the oldest are removed."""


@dataclass(frozen=True, slots=True)
class OperatorState:
    """What the operator has decided about the whole queue."""

    paused: bool = False
    draining: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing starts."""
        return self.paused or self.draining

    @property
    def text(self) -> str:
        """For the channel `OPERATOR`."""
        return " ".join(name for name in ("paused", "draining") if getattr(self, name)) or "open"

    @classmethod
    def of(cls, text: str) -> Self:
        """What a text of the channel says."""
        return cls(*(name in text.split() for name in ("paused", "draining")))


@dataclass(frozen=True, slots=True)
class Act:
    """One act, as the audit log has it."""

    who: str
    name: str
    target: str = ""


HELD: Final = select(OperatorRow.id).where(or_(col(OperatorRow.paused), col(OperatorRow.draining)))


def is_held(unit: UnitOfWork) -> bool:
    """Whether the operator holds the whole queue."""
    return unit.connection.scalar(HELD) is not None


def end_drain(unit: UnitOfWork) -> None:
    """A drain ends with the process that was drained."""
    unit.connection.execute(update(OperatorRow).where(col(OperatorRow.draining)).values(draining=False))


class OperatorStore(BaseStore):
    """What the operator does, to all sessions."""

    def is_queue_held(self) -> bool:
        """Whether the operator holds the whole queue."""
        with self.database.read(snapshot=False) as session:
            return session.exec(HELD).first() is not None

    def operator_state(self) -> OperatorState:
        """What the operator has decided about the whole queue."""
        with self.database.read() as session:
            row = session.get(OperatorRow, 1)
            return OperatorState(row.paused, row.draining) if row else OperatorState()

    def set_operator_state(
        self, act: Act, *, paused: bool | None = None, draining: bool | None = None
    ) -> OperatorState:
        """Hold the whole queue, or let it go on; None leaves a value as it is. Returns how it is now."""
        with self.database.write() as unit:
            row = unit.session.get(OperatorRow, 1) or OperatorRow()
            row.paused = row.paused if paused is None else paused
            row.draining = row.draining if draining is None else draining
            unit.session.add(row)
            self._audit(unit, act)
            unit.notify(START, "")
            state = OperatorState(row.paused, row.draining)
            unit.notify(OPERATOR, state.text)
            return state

    def cancel_any(self, act: Act) -> tuple[GenerationRow, bool]:
        """Cancel a generation of any session; see `GenerationStore.cancel_generation`. Raises NotFoundError."""
        with self.database.write() as unit:
            row = require(unit.session.exec(select(GenerationRow).where(GenerationRow.id == act.target)).first())
            row, changed = request_cancel(unit, row, self.clock(), self.concurrency)
            self._audit(unit, act)
            return row, changed

    def end_any_share(self, act: Act) -> None:
        """End the public link of a generation of any session, if it has one. Raises NotFoundError."""
        with self.database.write() as unit:
            row = require(unit.session.exec(select(GenerationRow).where(GenerationRow.id == act.target)).first())
            if unit.session.exec(delete(ShareRow).where(col(ShareRow.generation_id) == row.id)).rowcount:
                count_anew(row, self.clock())
                unit.session.add(row)
            self._audit(unit, act)

    def dismiss(self, act: Act) -> None:
        """Forget what was reported about a generation, and its flag. Raises NotFoundError."""
        with self.database.write() as unit:
            row = require(unit.session.exec(select(GenerationRow).where(GenerationRow.id == act.target)).first())
            row.flagged = None
            unit.session.add(row)
            unit.session.exec(delete(ReportRow).where(col(ReportRow.generation_id) == row.id))
            self._audit(unit, act)

    def remove_any(self, act: Act) -> list[str]:
        """Remove a generation of any session for good; return its id.

        Raises:
            NotFoundError: there is none.
            NotTerminalError: it has not ended.
        """
        with self.database.write() as unit:
            row = require(unit.session.exec(select(GenerationRow).where(GenerationRow.id == act.target)).first())
            if row.status not in TERMINAL:
                raise NotTerminalError
            remove(unit, row, self.clock())
            self._audit(unit, act)
        return [row.id]

    def owner_of(self, generation_id: str) -> str:
        """The id of the session that owns a generation. Raises NotFoundError."""
        with self.database.read() as session:
            query = select(GenerationRow.session_id).where(GenerationRow.id == generation_id)
            return require(session.exec(query).first())

    def ban(self, act: Act, kind: BanKind) -> None:
        """Let a session or an address make nothing new. Safe to repeat.

        Raises:
            NotFoundError: there is no such session.
        """
        with self.database.write() as unit:
            if kind == "session" and unit.session.get(SessionRow, act.target) is None:
                raise NotFoundError
            if unit.session.get(BanRow, (kind, act.target)) is None:
                unit.session.add(BanRow(kind=kind, target=act.target, created_at=self.clock()))
            self._audit(unit, act)

    def unban(self, act: Act, kind: BanKind) -> None:
        """Undo `ban`. Raises NotFoundError where there is none."""
        with self.database.write() as unit:
            ban = col(BanRow.kind) == kind, col(BanRow.target) == act.target
            if not unit.session.exec(delete(BanRow).where(*ban)).rowcount:
                raise NotFoundError
            self._audit(unit, act)

    def is_banned(self, session_id: str | None, address_hash: str) -> bool:
        """Whether a session or an address may make nothing new."""
        banned = or_(
            and_(col(BanRow.kind) == "session", col(BanRow.target) == session_id),
            and_(col(BanRow.kind) == "address", col(BanRow.target) == address_hash),
        )
        with self.database.read(snapshot=False) as session:
            return session.connection().execute(select(BanRow.kind).where(banned).limit(1)).first() is not None

    def list_bans(self) -> list[BanRow]:
        """All bans, the newest first."""
        with self.database.read() as session:
            return list(session.exec(select(BanRow).order_by(col(BanRow.created_at).desc())))

    def list_audit(self, limit: int, before: int | None = None) -> list[AuditRow]:
        """The newest acts first; `before` is the number of the last entry of the page before."""
        query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
        if before is not None:
            query = query.where(col(AuditRow.id) < before)
        with self.database.read() as session:
            return list(session.exec(query))

    def record_act(self, act: Act) -> None:
        """Add an entry to the audit log for what changes nothing in the database."""
        with self.database.write() as unit:
            self._audit(unit, act)

    def _audit(self, unit: UnitOfWork, act: Act) -> None:
        row = AuditRow(at=self.clock(), who=act.who, act=act.name, target=act.target)
        unit.session.add(row)
        unit.session.flush()
        unit.session.exec(delete(AuditRow).where(col(AuditRow.id) <= (row.id or 0) - AUDIT_KEPT))
