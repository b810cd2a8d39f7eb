"""The event source protocol: where committed events come from. `test_event_source_conformance.py` tests each."""

from __future__ import annotations

from typing import Protocol

from videogen.db.database import Database, Listener, StoredEvent


class EventSource(Protocol):
    """Passes on every committed event, of whatever process, for the readers of this process.

    Each event is passed on once, after its commit, the events of one commit together, and in order of id within a
    session. A reader subscribes at the hub first and then reads the event log from its cursor (see `open_stream`), so
    a source has no cursor of its own.
    """

    def open(self, publish: Listener) -> None:
        """Call `publish` with the events of each commit from now on, from any thread. It is quick and never writes."""

    def close(self) -> None:
        """Pass on nothing more. Idempotent."""


class CommitEventSource:
    """The source for a single process: the commit hook of its own database."""

    def __init__(self, database: Database) -> None:
        self._publish: Listener | None = None
        database.listen(self._on_commit)

    def open(self, publish: Listener) -> None:
        self._publish = publish

    def close(self) -> None:
        self._publish = None

    def _on_commit(self, events: list[StoredEvent]) -> None:
        if (publish := self._publish) is not None:
            publish(events)
