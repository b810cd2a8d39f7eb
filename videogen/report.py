"""From a renderer's messages to the store: throttled progress, previews, checkpoints, and exactly one end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from videogen.engines import protocol
from videogen.engines.base import Artifact
from videogen.models import FileRow
from videogen.queue.embedded import Lease
from videogen.security import new_id
from videogen.storage import DiskStorage
from videogen.store import Fence, Progress, Result, Store

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 0.1
"""At most one progress event in this time, but always one when the stage changes."""
ALMOST: Final = 99.0
"""As far as the bar goes before the file is whole."""
_ETA_SECONDS: Final = 1.0
_ETA_PERCENT: Final = 3.0


class Reporter:
    """Writes what one renderer says, under the fence of its lease."""

    def __init__(
        self, store: Store, storage: DiskStorage, lease: Lease, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._storage, self._lease = store, storage, lease
        self._fence = Fence(lease.generation_id, lease.attempt)
        self._clock = clock
        self._last: tuple[float, str, str] | None = None
        self._begin: tuple[float, float] | None = None
        self._preview: FileRow | None = None

    def take(self, message: protocol.Message) -> None:
        """Persist and publish one message.

        Raises:
            MoveRefused: the lease was lost; the renderer must be stopped.
            StorageFault: a file could not be kept.
        """
        match message:
            case protocol.Progress():
                self._progress(message)
            case protocol.Preview():
                self._show(message)
            case protocol.Checkpoint():
                self._store.record_checkpoint(self._fence, message.data)
            case protocol.Done():
                self._finish(message.artifact)
            case protocol.Cancelled():
                self._store.fail(self._fence, "cancelled", "Cancelled.", retryable=True)
                self._storage.remove_workdir(self._lease.generation_id)
            case protocol.Failed():
                self._store.fail(self._fence, message.code, message.message, retryable=message.retryable)
                self._storage.remove_workdir(self._lease.generation_id)

    def _progress(self, message: protocol.Progress) -> None:
        now = self._clock()
        shown = (message.stage, message.message)
        if self._last is not None and now - self._last[0] < INTERVAL_SECONDS and self._last[1:] == shown:
            return
        self._last = (now, *shown)
        percent = ALMOST * message.step / message.total if message.total else 0.0
        self._store.record_progress(
            self._fence,
            Progress(
                percent=percent,
                stage=message.stage,
                step=message.step,
                total_steps=message.total,
                message=message.message,
                eta_seconds=self._eta(now, percent),
            ),
        )

    def _eta(self, now: float, percent: float) -> float | None:
        """Seconds left by the pace measured in this attempt; None until there is a pace to speak of."""
        if self._begin is None:
            self._begin = (now, percent)
        elapsed, done = now - self._begin[0], percent - self._begin[1]
        if elapsed < _ETA_SECONDS or done < _ETA_PERCENT:
            return None
        return round(elapsed * (100.0 - percent) / done, 1)

    def _show(self, message: protocol.Preview) -> None:
        if not message.path.exists():
            # This process stood still while the renderer went on: the picture of the newest of several such
            # messages was taken with the first of them.
            return
        key = f"{self._lease.generation_id}/a{self._lease.attempt}-preview{message.path.suffix}"
        file_id = self._preview.id if self._preview else new_id("fil")
        self._preview = self._file(file_id, "preview", key, self._storage.put(message.path, key))
        self._store.record_preview(self._fence, self._preview)

    def _finish(self, artifact: Artifact) -> None:
        # The attempt in the key: a worker that was overtaken cannot touch its successor's file.
        stem = f"{self._lease.generation_id}/a{self._lease.attempt}"
        kind = artifact.content_type.partition("/")[0]
        key = f"{stem}-{kind}{artifact.path.suffix}"
        video = self._file(new_id("fil"), kind, key, self._storage.put(artifact.path, key))
        poster = None
        if artifact.poster_path is not None:
            key = f"{stem}-poster{artifact.poster_path.suffix}"
            poster = self._file(new_id("fil"), "poster", key, self._storage.put(artifact.poster_path, key))
        self._store.complete(
            self._fence,
            Result(video, poster, artifact.width, artifact.height, artifact.fps, artifact.duration_seconds),
        )
        self._storage.remove_workdir(self._lease.generation_id)

    def _file(self, file_id: str, kind: str, key: str, size: int) -> FileRow:
        suffix = key.rpartition(".")[2]
        return FileRow(
            id=file_id,
            session_id=self._lease.session_id,
            generation_id=self._lease.generation_id,
            kind=kind,
            key=key,
            content_type=_CONTENT_TYPES[suffix],
            size_bytes=size,
            created_at=self._store.clock(),
        )


_CONTENT_TYPES: Final = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
