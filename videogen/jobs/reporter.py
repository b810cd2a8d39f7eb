"""Writes the messages of a renderer to the store: throttled progress, previews, checkpoints, and one end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any, Final

from videogen.core.errors import ModerationRefusedError, ModerationUnavailableError, StorageError
from videogen.core.json_log import logs_as_json, without_secrets
from videogen.core.security import new_id
from videogen.db.tables import FileRow
from videogen.engines.base import Artifact
from videogen.engines.process import protocol
from videogen.engines.process.result import STAGE
from videogen.jobs.base import Lease
from videogen.jobs.moderation import Item, Moderator
from videogen.media.types import CONTENT_TYPES
from videogen.schemas.engines import Cost
from videogen.schemas.generations import Attention
from videogen.schemas.status import NEEDS_ATTENTION
from videogen.storage import Storage
from videogen.store import Failure, Fence, Outcome, Progress, Result, Store, Unknown
from videogen.store.estimates import Measured
from videogen.store.progress import LAST_FRAME

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 0.1
"""At most one progress event in this time, except when stage or message change."""
BUSY_INTERVAL_SECONDS: Final = 0.5
"""The longest such interval, under full load."""
WRITE_BUDGET: Final = 0.05
"""The share of time that may be spent on progress writes. A slow write (slow disk, many writers, busy process) makes
the interval longer."""
MAX_UNFINISHED_PERCENT: Final = 99.0
"""The highest percentage before the result is stored."""
_MAX_ID: Final = 200
_MAX_LOOK_AT: Final = 2000
MAX_LINES: Final = 100
"""The lines of one attempt in the log of the server."""
_ETA_SECONDS: Final = 1.0
_ETA_PERCENT: Final = 3.0


class ProgressRecorder:
    """Writes the messages of one renderer, under the fence of its lease."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        lease: Lease,
        finish: Callable[[Outcome], None],
        clock: Callable[[], float] = time.monotonic,
        moderator: Moderator | None = None,
    ) -> None:
        """`finish` writes the end under the lease; `clock` is a monotonic clock in seconds; `moderator` is asked before
        the result is stored."""
        self._moderator = moderator or Moderator()
        self._store, self._storage, self._lease = store, storage, lease
        self._finish = finish
        self._write_failed = False
        self._fence = Fence(lease.generation_id, lease.attempt)
        self._clock = clock
        self._last: tuple[float, str, str] | None = None
        self._pending: protocol.Progress | None = None
        self._checkpoint: dict[str, Any] | None = None
        """One that is not stored yet."""
        self.before_checkpoint: Callable[[dict[str, Any]], dict[str, Any]] = lambda checkpoint: checkpoint
        """Stores what belongs to a checkpoint, and returns what is stored in its place."""
        self._first: tuple[float, float] | None = None
        self._started = clock()
        self._startup: float | None = None
        self._interval = INTERVAL_SECONDS
        self._preview: FileRow | None = None
        self._cost: Cost | None = None
        """One that is not stored yet."""
        self._lines = 0

    def record(self, message: protocol.Message) -> None:
        """Store and publish one message.

        Raises:
            StaleWriteError: the lease was lost; the renderer must be stopped.
            StorageError: the result could not be stored, or the renderer reports that it could not write.
        """
        match message:
            case protocol.Progress():
                self._ignore_storage_errors(partial(self._progress, message))
            case protocol.Preview():
                # With a hook, nothing is shown that it has not seen.
                if self._moderator.hook is None:
                    self._ignore_storage_errors(partial(self._store_preview, message))
            case protocol.Checkpoint():
                self._ignore_storage_errors(partial(self._store_checkpoint, message))
            case protocol.Spent():
                self._cost = message.cost
                self._ignore_storage_errors(self._write_pending)
            case protocol.LogLine():
                self._log(message)
            case protocol.Done():
                self._publish(message.artifact)
            case protocol.Cancelled():
                self._finish(Failure("cancelled", message.message or "Cancelled.", retryable=True))
            case protocol.NeedsAttention():
                self.flush()
                self._finish(_unknown(message))
            case protocol.Failed(code=StorageError.code):
                raise StorageError(message.message)
            case protocol.Failed():
                self._finish(Failure(message.code, message.message, retryable=message.retryable))

    def _log(self, message: protocol.LogLine) -> None:
        """Write a line of the renderer to the log of the server, where that is for programs. People have the job's."""
        self._lines += 1
        if logs_as_json() and self._lines <= MAX_LINES:
            fields = {"exception": without_secrets(message.exception)} if message.exception else {}
            logger = logging.getLogger(f"renderer.{message.logger}")
            logger.log(message.level, "%s", message.message, extra={"fields": fields})

    def flush(self) -> None:
        """Write what the throttle holds back, or what could not be stored, when the renderer sends nothing for a while.

        Raises:
            StaleWriteError: the lease was lost; the renderer must be stopped.
        """
        self._ignore_storage_errors(self._write_pending)

    def _ignore_storage_errors(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StorageError as problem:
            # A lost preview or step does not justify a failed render.
            if not self._write_failed:
                logger.warning("%s: its progress cannot be stored. %s", self._lease.generation_id, problem)
            self._write_failed = True
        else:
            self._write_failed = False

    def _progress(self, message: protocol.Progress) -> None:
        now = self._clock()
        if message.stage != STAGE and (self._startup is None or message.step == 0):
            self._startup = now - self._started
        shown = (message.stage, message.message)
        if self._last is not None and now - self._last[0] < self._interval and self._last[1:] == shown:
            self._pending = message
        else:
            self._write_progress(message, now)

    def _write_pending(self) -> None:
        if self._pending is not None:
            self._write_progress(self._pending, self._clock())
        if self._checkpoint is not None:
            self._store.record_checkpoint(self._fence, self.before_checkpoint(self._checkpoint))
            self._checkpoint = None
        if self._cost is not None:
            self._store.record_cost(self._fence, self._cost)
            self._cost = None

    def _write_progress(self, message: protocol.Progress, now: float) -> None:
        self._last, self._pending = (now, message.stage, message.message), message
        percent = MAX_UNFINISHED_PERCENT * message.step / message.total if message.total else 0.0
        # That stage is for what has no worker.
        stage = "waiting" if message.stage == NEEDS_ATTENTION else message.stage
        # How long a conversion takes was never measured, and its steps are no frames that are rendered.
        eta = None if message.stage == STAGE else self._eta(now, percent, is_exact=not message.estimated)
        shown = (percent, stage, message.step, message.total, message.message)
        progress = Progress(*shown, eta_seconds=eta, estimated=message.estimated)
        self._store.record_progress(self._fence, progress)
        self._pending = None
        target = min(max((self._clock() - now) / WRITE_BUDGET, INTERVAL_SECONDS), BUSY_INTERVAL_SECONDS)
        # A moving average: one slow write alone changes little.
        self._interval += (target - self._interval) / 2

    def _eta(self, now: float, percent: float, *, is_exact: bool) -> float | None:
        """Seconds left: the estimate from earlier runs, and with growing weight the speed of this attempt.

        None while neither is known. Only an exact percentage gives a speed.
        """
        if self._first is None:
            self._first = (now, percent)
        elapsed, done = now - self._first[0], percent - self._first[1]
        is_measured = is_exact and elapsed >= _ETA_SECONDS and done >= _ETA_PERCENT
        measured = elapsed * (100.0 - percent) / done if is_measured else None
        expected = self._lease.expected.rest(percent, now - self._started) if self._lease.expected else None
        if measured is not None and expected is not None:
            return round(expected + (measured - expected) * percent / 100.0, 1)
        left = expected if measured is None else measured
        return None if left is None else round(left, 1)

    def _store_preview(self, message: protocol.Preview) -> None:
        # If several previews were waiting, the first message took the newest file, which had replaced the others.
        if message.path.exists():
            self._preview = self._put_file("preview", message.path, self._preview.id if self._preview else None)
            self._store.record_preview(self._fence, self._preview)

    def _store_checkpoint(self, message: protocol.Checkpoint) -> None:
        # The next attempt starts at the progress of the row, which must not be behind the checkpoint.
        self._checkpoint = message.data
        self._write_pending()

    def _publish(self, artifact: Artifact) -> None:
        """Store the result, if the moderation hook allows it."""
        recipe, moderated = self._lease.recipe, self._moderator.hook is not None
        # Its session may have been merged into another one since the claim.
        owner = self._store.owner_of(self._lease.generation_id) if moderated else self._lease.session_id
        item = Item(
            stage="result",
            **{name: recipe.get(name, "") for name in ("prompt", "negative_prompt", "engine", "type")},
            session=owner,
            account=self._store.username_of(owner) if moderated else None,
            generation=self._lease.generation_id,
            file=artifact.path,
            poster=artifact.poster_path,
        )
        try:
            flagged = self._moderator.check(item)
        except (ModerationRefusedError, ModerationUnavailableError) as problem:
            retryable = isinstance(problem, ModerationUnavailableError)
            self._finish(Failure(problem.code, problem.detail, retryable=retryable))
        else:
            if flagged is not None:
                logger.warning("%s has a result that was flagged: %s", self._lease.generation_id, flagged)
            self._finish(replace(self._result(artifact), flagged=flagged))

    def _result(self, artifact: Artifact) -> Result:
        video = self._put_file(artifact.content_type.partition("/")[0], artifact.path)
        poster = self._put_file("poster", artifact.poster_path) if artifact.poster_path else None
        frames = tuple(self._put_frame(count, artifact) for count in artifact.frame_paths)
        copied = {name: getattr(artifact, name) for name in ("width", "height", "fps", "duration_seconds", "has_audio")}
        return Result(video, poster, measured=self._measured(), frames=frames, **copied)

    def _put_frame(self, count: int, artifact: Artifact) -> FileRow:
        kind = LAST_FRAME if count == artifact.num_frames else f"frame_{count}"
        return self._put_file(kind, artifact.frame_paths[count])

    def _measured(self) -> Measured | None:
        """How long the render took; None where it continued from a checkpoint, or a part was kept."""
        total = self._clock() - self._started
        is_whole = self._lease.recipe.get("source") is None
        if self._lease.checkpoint is not None or self._startup is None or not is_whole:
            return None
        return Measured(min(self._startup, total), total)

    def _put_file(self, kind: str, path: Path, file_id: str | None = None) -> FileRow:
        # The attempt is a part of the key: a worker that lost its lease cannot replace the file of the next attempt.
        key = f"{self._lease.generation_id}/a{self._lease.attempt}-{kind}{path.suffix}"
        return FileRow(
            id=file_id or new_id("fil"),
            session_id=self._lease.session_id,
            generation_id=self._lease.generation_id,
            kind=kind,
            key=key,
            content_type=CONTENT_TYPES[path.suffix[1:]],
            # A preview replaces the one before it. What is published is written once where others store too. On a disk
            # what has the key is from after the backup to which the database was set back: it may be of other settings.
            size_bytes=self._storage.put(path, key, once=self._storage.is_shared and kind != "preview"),
            created_at=self._store.clock(),
        )


def _unknown(message: protocol.NeedsAttention) -> Unknown:
    sent = message.sent_at
    if sent is not None and sent.tzinfo is None:
        sent = sent.replace(tzinfo=UTC)
    known = Attention(sent_at=sent, provider_id=message.provider_id[:_MAX_ID], look_at=message.look_at[:_MAX_LOOK_AT])
    return Unknown(message.message, known)
