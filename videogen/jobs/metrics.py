"""Counts and measures what happens to generations, by the events of each commit."""

from __future__ import annotations

from typing import NamedTuple

from videogen.core.metrics import Metrics
from videogen.db.signals import StoredEvent, Subject
from videogen.engines.process.result import STAGE
from videogen.schemas.events import ErrorRecord, ProgressRecord, is_terminal
from videogen.schemas.status import NEEDS_ATTENTION, Status


class _Place(NamedTuple):
    """Where a running generation was last: attempt, stage and step, and when it got there."""

    attempt: int
    stage: str
    step: int
    at: float


class JobMetrics:
    """Follows the generations that run. It writes nothing."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._running: dict[str, _Place] = {}

    def record(self, events: list[StoredEvent]) -> None:
        """A listener of the database: called with the events of one commit after the other."""
        for event in events:
            if event.subject is None:
                continue
            if is_terminal(event.type):
                self._end(event, event.subject)
            elif isinstance(event.data, ProgressRecord):
                self._go_on(event.generation_id, event.data, event.subject)

    def _end(self, event: StoredEvent, subject: Subject) -> None:
        self._running.pop(event.generation_id, None)
        code = event.data.code if isinstance(event.data, ErrorRecord) else ""
        self._metrics.ended(subject.engine, event.data.status.value, code)
        if event.data.status is Status.COMPLETED and subject.started_at is not None:
            self._metrics.rendered(subject.engine, subject.at - subject.started_at)

    def _go_on(self, generation_id: str, data: ProgressRecord, subject: Subject) -> None:
        last = self._running.get(generation_id)
        if data.status is Status.QUEUED:
            self._running.pop(generation_id, None)
            # Without an attempt here it only got another position; after `needs_attention` its owner has decided.
            if last is not None and last.stage != NEEDS_ATTENTION:
                self._metrics.requeued(subject.engine)
            return
        here = _Place(data.attempt, data.stage, data.step, subject.at)
        if last is None or last.attempt != here.attempt:
            if here.attempt == 1 and data.stage == "starting" and subject.started_at is not None:
                self._metrics.waited(subject.engine, subject.started_at - subject.created_at)
        elif here.stage == last.stage and here.step > last.step:
            if not data.estimated and here.stage != STAGE:
                self._metrics.stepped(subject.engine, (here.at - last.at) / (here.step - last.step))
        elif here.stage == last.stage:
            return  # the step goes on
        self._running[generation_id] = here
