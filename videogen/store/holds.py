"""What is queued and cannot start now: it shows why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from videogen.db.tables import GenerationRow
from videogen.schemas.status import ENGINE_UNAVAILABLE
from videogen.store.base import BaseStore
from videogen.store.queue_order import PAUSED, QUEUED_IDS, update_queue_positions
from videogen.store.transitions import update_queued

_ENGINE = col(GenerationRow.engine)
_STAGE = col(GenerationRow.stage)


class HoldStore(BaseStore):
    """The reasons why nothing starts, of the whole queue and of single engines. A paused queue shows neither."""

    def hold_queue(self, message: str) -> None:
        """Show all that is queued why nothing starts. Nothing is written where it is shown already."""
        self._set_stage("waiting", message)

    def release_queue(self) -> None:
        """Undo `hold_queue`."""
        self._set_stage("queued", "")

    def hold_engines(self, reasons: Mapping[str, str]) -> None:
        """Show what is queued for these engines why it does not start; what waited for another one may start again.

        Args:
            reasons: why each engine cannot render, by its id. Nothing is written where it waits already.
        """
        may_start = and_(_STAGE == ENGINE_UNAVAILABLE, _ENGINE.not_in(list(reasons)))
        changes: list[tuple[ColumnElement[bool], dict[str, Any]]] = [(may_start, {"stage": "queued", "message": ""})]
        for name, reason in reasons.items():
            is_new = and_(_ENGINE.in_([name]), _STAGE.not_in((ENGINE_UNAVAILABLE, PAUSED)))
            changes.append((is_new, {"stage": ENGINE_UNAVAILABLE, "message": reason}))
        self._show(changes)

    def _set_stage(self, stage: str, message: str) -> None:
        changed = _STAGE.not_in((stage, PAUSED, ENGINE_UNAVAILABLE))
        self._show([(changed, {"stage": stage, "message": message})])

    def _show(self, changes: Sequence[tuple[ColumnElement[bool], dict[str, Any]]]) -> None:
        """Set columns of what is queued and meets a condition, and publish it."""
        queries = [(QUEUED_IDS.where(condition), values) for condition, values in changes]
        with self.database.read() as session:
            if all(session.scalars(query.limit(1)).first() is None for query, _ in queries):
                return
        now = self.clock()
        # While it is held nobody knows how long; afterwards `update_queue_positions` sets the times again.
        unknown = {"eta_seconds": None, "expected_wait_seconds": None}
        with self.database.write() as unit:
            for query, values in queries:
                for generation_id in list(unit.connection.scalars(query.order_by(col(GenerationRow.seq)))):
                    update_queued(unit, generation_id, now, values | unknown)
            update_queue_positions(unit, now, self.concurrency)
