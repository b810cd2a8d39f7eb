"""The use cases around the whole app: who it is, whether it is ready, which engines it offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from videogen.core.clock import to_datetime
from videogen.engines.presets import poster_path
from videogen.jobs.snapshots import at_text
from videogen.schemas.admin import QueueState
from videogen.schemas.engines import EngineList
from videogen.schemas.system import RestoredFrom, SnapshotState
from videogen.services.parts import Parts
from videogen.services.submission import engine_infos

LOSS_SHOWN_SECONDS: Final = 24 * 3600.0
"""How long the page says that something was lost."""

_HELD: Final = {
    "paused": "The operator has paused the queue.",
    "draining": "The operator has drained the queue: what runs ends, and nothing starts.",
    "drained": "The operator has drained the queue, and nothing runs any more.",
}


class SystemService:
    """What does not belong to a session. Every method blocks: call it from a thread, never in the event loop."""

    def __init__(self, parts: Parts, queue: Callable[[], QueueState]) -> None:
        self._parts = parts
        self._queue = queue
        self.instance = parts.signer.derive("instance")[:24]
        """Identifies this data folder's app to clients, over restarts and ports."""
        self.keeps_data = parts.config.keeps_data
        """Whether what is stored outlives a restart."""

        self._restore = parts.store.last_restore()

    @property
    def queue_state(self) -> QueueState:
        """Whether the operator holds the whole queue; see `schemas.system.Health`. From memory: it never waits."""
        return self._queue()

    def restored(self) -> RestoredFrom | None:
        """The snapshot that this app was restored from; None where it was not."""
        if (row := self._restore) is None:
            return None
        return RestoredFrom(
            snapshot_at=to_datetime(row.snapshot_at),
            restored_at=to_datetime(row.restored_at),
            complete=row.is_complete,
        )

    def recent_loss(self) -> str:
        """As of when the data is, for a day after a restore that has lost something; else empty."""
        row, now = self._restore, self._parts.store.clock()
        is_recent = row is not None and not row.is_complete and now - row.restored_at < LOSS_SHOWN_SECONDS
        return at_text(to_datetime(row.snapshot_at)) if row is not None and is_recent else ""

    def snapshots(self) -> SnapshotState | None:
        """What is known of the snapshots; None where none are taken."""
        if (keeper := self._parts.snapshots) is None:
            return None
        status = keeper.status
        last_at = None if status.last_at is None else to_datetime(status.last_at)
        return SnapshotState(last_at=last_at, fault=status.fault or None, files_missing=status.files_missing)

    def engines(self) -> EngineList:
        """The engines on offer, with what they can do here and now."""
        return EngineList(items=engine_infos(self._parts.engines, self._parts.config))

    def preset_poster(self, engine_id: str, preset_id: str) -> Path:
        """The picture of an engine's preset.

        Raises:
            NotFoundError: there is no such engine, preset or picture.
        """
        return poster_path(self._parts.engines.get(engine_id), preset_id)

    def ready(self) -> str | None:
        """Check that the database answers and the workers live.

        Returns:
            why nothing new is rendered for now, or None. Everything else works then.

        Raises:
            NotReadyError, StorageError: it does not.
        """
        self._parts.store.ping()
        self._parts.workers.check()
        return self._parts.data_folder.shortage() or _HELD.get(self.queue_state)
