"""From a renderer's messages to the store: throttled progress, previews, checkpoints, and exactly one end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from videogen.core.errors import StorageError
from videogen.core.security import new_id
from videogen.db.tables import FileRow
from videogen.engines.base import Artifact
from videogen.engines.process import protocol
from videogen.jobs.base import Lease
from videogen.media.types import CONTENT_TYPES
from videogen.storage import Storage
from videogen.store import Failure, Fence, Progress, Result, Store
from videogen.store.estimates import Measured

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 0.1
"""At most one progress event in this time, but always one when the stage changes."""
BUSY_INTERVAL_SECONDS: Final = 0.5
"""The same when this process is at its limit: what is shown must not grow old."""
WRITE_BUDGET: Final = 0.05
"""The part of its time that a reporter may spend on telling progress. A write that takes long, because the disk is
slow, because many others write or because this process has too much to do, makes the next one come later."""
ALMOST: Final = 99.0
"""As far as the bar goes before the file is whole."""
_ETA_SECONDS: Final = 1.0
_ETA_PERCENT: Final = 3.0


class ProgressRecorder:
    """Writes what one renderer says, under the fence of its lease."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        lease: Lease,
        finish: Callable[[Result | Failure], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            store: gets what the renderer says.
            storage: gets its files.
            lease: what it renders, in which attempt.
            finish: writes the end of the generation under this lease.
            clock: seconds that only go forward.
        """
        self._store, self._storage, self._lease = store, storage, lease
        self._finish = finish
        self._mute = False
        self._fence = Fence(lease.generation_id, lease.attempt)
        self._clock = clock
        self._last: tuple[float, str, str] | None = None
        self._held_back: protocol.Progress | None = None
        self._begin: tuple[float, float] | None = None
        self._asked = clock()
        self._startup: float | None = None
        self._interval = INTERVAL_SECONDS
        self._preview: FileRow | None = None

    def take(self, message: protocol.Message) -> None:
        """Persist and publish one message.

        Raises:
            StaleWriteError: the lease was lost; the renderer must be stopped.
            StorageError: the result could not be kept, or the renderer says that it could not write.
        """
        match message:
            case protocol.Progress() | protocol.Preview() | protocol.Checkpoint():
                self._tolerantly(lambda: self._pass_on(message))
            case protocol.Done():
                self._finish(self._result(message.artifact))
            case protocol.Cancelled():
                self._finish(Failure("cancelled", "Cancelled.", retryable=True))
            case protocol.Failed(code=StorageError.code):
                raise StorageError(message.message)
            case protocol.Failed():
                self._finish(Failure(message.code, message.message, retryable=message.retryable))

    def pause(self) -> None:
        """The renderer has fallen silent for a while: tell what was held back, or it would be shown too far behind.

        Raises:
            StaleWriteError: the lease was lost; the renderer must be stopped.
        """
        self._tolerantly(self._catch_up)

    def _tolerantly(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StorageError as problem:
            # A picture or a step that nobody hears of costs nothing; a render that ends for it does.
            if not self._mute:
                logger.warning("%s: its progress cannot be kept. %s", self._lease.generation_id, problem)
            self._mute = True
        else:
            self._mute = False

    def _pass_on(self, message: protocol.Progress | protocol.Preview | protocol.Checkpoint) -> None:
        match message:
            case protocol.Progress():
                self._progress(message)
            case protocol.Preview():
                self._show(message)
            case protocol.Checkpoint():
                # A takeover shows what the row says now: it must not be behind the checkpoint.
                self._catch_up()
                self._store.record_checkpoint(self._fence, message.data)

    def _progress(self, message: protocol.Progress) -> None:
        now = self._clock()
        if self._startup is None or message.step == 0:
            self._startup = now - self._asked
        shown = (message.stage, message.message)
        if self._last is not None and now - self._last[0] < self._interval and self._last[1:] == shown:
            self._held_back = message
            return
        self._tell(message, now)

    def _catch_up(self) -> None:
        if self._held_back is not None:
            self._tell(self._held_back, self._clock())

    def _tell(self, message: protocol.Progress, now: float) -> None:
        self._last, self._held_back = (now, message.stage, message.message), None
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
        wanted = min(max((self._clock() - now) / WRITE_BUDGET, INTERVAL_SECONDS), BUSY_INTERVAL_SECONDS)
        # Half of the way: one slow write is no rule.
        self._interval += (wanted - self._interval) / 2

    def _eta(self, now: float, percent: float) -> float | None:
        """Seconds left: by what others like it took, and the further it is the more by its own pace.

        None where no other was measured, until this attempt has a pace to speak of.
        """
        if self._begin is None:
            self._begin = (now, percent)
        elapsed, done = now - self._begin[0], percent - self._begin[1]
        known, own = self._lease.expected, None
        if elapsed >= _ETA_SECONDS and done >= _ETA_PERCENT:
            own = elapsed * (100.0 - percent) / done
        if known is None:
            return None if own is None else round(own, 1)
        left = known.rest(percent, now - self._asked)
        if own is not None:
            left += (own - left) * percent / 100.0
        return round(left, 1)

    def _show(self, message: protocol.Preview) -> None:
        if not message.path.exists():
            # This process stood still while the renderer went on: the picture of the newest of several such
            # messages was taken with the first of them.
            return
        file_id = self._preview.id if self._preview else new_id("fil")
        self._preview = self._keep("preview", message.path, file_id)
        self._store.record_preview(self._fence, self._preview)

    def _result(self, artifact: Artifact) -> Result:
        kind = artifact.content_type.partition("/")[0]
        video = self._keep(kind, artifact.path, new_id("fil"))
        poster = self._keep("poster", artifact.poster_path, new_id("fil")) if artifact.poster_path else None
        return Result(
            video, poster, artifact.width, artifact.height, artifact.fps, artifact.duration_seconds, self._measured()
        )

    def _measured(self) -> Measured | None:
        """How long the render took; None where an earlier attempt had done a part of it."""
        total = self._clock() - self._asked
        if self._lease.checkpoint is not None or self._startup is None:
            return None
        return Measured(min(self._startup, total), total)

    def _keep(self, kind: str, path: Path, file_id: str) -> FileRow:
        # The attempt in the key: a worker that was overtaken cannot touch its successor's file.
        key = f"{self._lease.generation_id}/a{self._lease.attempt}-{kind}{path.suffix}"
        return self._file(file_id, kind, key, self._storage.put(path, key))

    def _file(self, file_id: str, kind: str, key: str, size: int) -> FileRow:
        suffix = key.rpartition(".")[2]
        return FileRow(
            id=file_id,
            session_id=self._lease.session_id,
            generation_id=self._lease.generation_id,
            kind=kind,
            key=key,
            content_type=CONTENT_TYPES[suffix],
            size_bytes=size,
            created_at=self._store.clock(),
        )
