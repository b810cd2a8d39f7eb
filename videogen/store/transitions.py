"""Writes to a generation that may fail: each is one compare-and-set UPDATE, with its event in the same transaction."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Table, bindparam, case, update
from sqlmodel import SQLModel

from videogen.core.errors import StaleWriteError
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow
from videogen.schemas.status import NEEDS_ATTENTION, TERMINAL, Status, statuses_before
from videogen.store.events import PROGRESS_COLUMNS, append_event
from videogen.store.quotas import give_back
from videogen.store.removals import note_end
from videogen.store.webhooks import add_deliveries


def transition(
    unit: UnitOfWork,
    generation_id: str,
    target: Status,
    now: float,
    values: dict[str, Any],
    *,
    attempt: int | None = None,
) -> GenerationRow:
    """Change the status of a generation, set `values`, and append the event.

    Args:
        unit: the transaction.
        generation_id: the generation.
        target: the new status.
        now: seconds since the epoch.
        values: further columns to set.
        attempt: the attempt that a worker holds. The write is refused in another attempt, and while the generation is
            queued or needs attention: it keeps this number until the next claim.

    Raises:
        StaleWriteError: it is in no status from which `target` may be reached, or in another attempt.
            Nothing was changed.
    """
    if target in TERMINAL:
        end = not_before(_TABLE.c.updated_at, now)
        values = _ENDED | values | {"stage": target.value, "finished_at": end, "kept_from": end, "used_at": end}
    allowed = tuple(status for status in statuses_before(target) if attempt is None or status is Status.PROCESSING)
    row = _update(unit, generation_id, allowed, attempt, now, values | {"status": target.value})
    if target in (Status.FAILED, Status.CANCELLED) and row.progress <= 0 and row.attention is None:
        give_back(unit, row.id)
    append_event(unit, row)
    if target in TERMINAL:
        add_deliveries(unit, row, target.value)
        if row.attempt:
            note_end(unit, row.id, now)
    return row


def update_running(
    unit: UnitOfWork, generation_id: str, now: float, values: dict[str, Any], *, attempt: int, publish: bool = True
) -> None:
    """Set `values` of a generation that is processing in this attempt, and append an event if `publish`.

    Raises:
        StaleWriteError: it is not processing in this attempt. Nothing was changed.
    """
    row = _update(unit, generation_id, (Status.PROCESSING,), attempt, now, values)
    if publish:
        append_event(unit, row)


def update_progress(
    unit: UnitOfWork, generation_id: str, now: float, progress: dict[str, Any], *, attempt: int
) -> None:
    """The same for progress, by a prepared statement: this is by far the most frequent write.

    The percentage never falls within an attempt.

    Raises:
        StaleWriteError: it is not processing in this attempt. Nothing was changed.
    """
    parameters = {f"new_{name}": value for name, value in progress.items()}
    keys = {"this_id": generation_id, "this_attempt": attempt, "new_updated_at": now}
    row = unit.connection.execute(_UPDATE_PROGRESS, parameters | keys).first()
    if row is None:
        raise StaleWriteError
    append_event(unit, cast(GenerationRow, row))


def not_before(column: Any, now: float | ColumnElement[Any]) -> Any:
    """SQL for the later of `now` and a column: subscribers drop an event whose time is before that of the last one."""
    return case((column > now, column), else_=now)


_TABLE: Final[Table] = SQLModel.metadata.tables["generations"]
_PROGRESS: Final = ("stage", "step", "total_steps", "message", "eta_seconds", "estimated")
# Built once: building a statement costs more than running it.
_UPDATE_PROGRESS: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("this_id"),
        _TABLE.c.attempt == bindparam("this_attempt"),
        _TABLE.c.status == Status.PROCESSING.value,
        _TABLE.c.stage != NEEDS_ATTENTION,
    )
    .values(
        {name: bindparam(f"new_{name}", type_=_TABLE.c[name].type) for name in _PROGRESS}
        | {name: not_before(_TABLE.c[name], bindparam(f"new_{name}")) for name in ("progress", "updated_at")}
    )
    .returning(*(_TABLE.c[name] for name in PROGRESS_COLUMNS))
)
_ENDED: Final = {
    "queue_position": None,
    "eta_seconds": None,
    "expected_wait_seconds": None,
    "lease_owner": None,
    "address_hash": None,
    "lease_until": 0.0,
}


def _update(
    unit: UnitOfWork,
    generation_id: str,
    allowed: tuple[Status, ...],
    attempt: int | None,
    now: float,
    values: dict[str, Any],
) -> GenerationRow:
    unit.flush()
    values = values | {"updated_at": not_before(_TABLE.c.updated_at, now)}
    statement = update(_TABLE).where(_TABLE.c.id == generation_id, _TABLE.c.status.in_(allowed))
    if attempt is not None:
        statement = statement.where(_TABLE.c.attempt == attempt, _TABLE.c.stage != NEEDS_ATTENTION)
    row = unit.connection.execute(statement.values(values).returning(*_TABLE.c)).first()
    if row is None:
        raise StaleWriteError
    # A plain row has the same attributes as an object of the session, and costs a tenth.
    return cast(GenerationRow, row)


def cancel(unit: UnitOfWork, row: GenerationRow, now: float, message: str) -> GenerationRow:
    """Change the status to `cancelled`, whether a worker holds the generation or not."""
    return transition(unit, row.id, Status.CANCELLED, now, error_columns("cancelled", message, retryable=True))


def error_columns(code: str, message: str, *, retryable: bool) -> dict[str, Any]:
    """The columns that say why a generation has no result."""
    return {"error_code": code, "error_message": message, "error_retryable": retryable}


def update_queued(unit: UnitOfWork, generation_id: str, now: float, values: dict[str, Any]) -> None:
    """Set `values` of a generation that is queued, and append an event.

    Raises:
        StaleWriteError: it is not queued. Nothing was changed.
    """
    append_event(unit, _update(unit, generation_id, (Status.QUEUED,), None, now, values))
