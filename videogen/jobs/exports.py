"""Makes exports, one after the other, each in a child process. What a stop or a crash interrupts is made again."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from videogen.core.errors import (
    ExportFailedError,
    FileMissingError,
    StaleWriteError,
    StorageAwayError,
    StorageError,
    VideogenError,
)
from videogen.core.in_use import InUse
from videogen.core.text import counted
from videogen.jobs.disk_guard import LOOK_SECONDS, WAITING
from videogen.jobs.settings import WorkerSettings
from videogen.media.convert import WriterLostError, check_outcome
from videogen.media.export import LONGEST_SECONDS, MOST_BYTES, ExportTask, follow_export
from videogen.media.probe import BrokenMediaError
from videogen.schemas.exports import KINDS
from videogen.storage import DataFolder, Storage
from videogen.store import ExportJob, Store, StoredExport
from videogen.store.exports import EXPORTS

logger = logging.getLogger(__name__)
PROGRESS_SECONDS: Final = 0.5
"""The shortest time between two changes of the progress."""
WAIT_SECONDS: Final = 10.0
"""The longest time between two looks: nobody announces the end of a lease, or of a pause."""
_PNG_PART: Final = 0.75
"""How much of its raw size a PNG of a noisy frame takes."""


class ExportWorker:
    """A thread that makes what is queued. `start` it once, and `stop` it."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        data_folder: DataFolder,
        in_use: InUse,
        settings: WorkerSettings,
    ) -> None:
        """With no workers in `settings`, nothing is made here, unless the storage is one that several processes use."""
        self._store, self._storage, self._data_folder, self._in_use = store, storage, data_folder, in_use
        self._settings = settings
        self.publish: Callable[[Sequence[StoredExport]], None] = lambda _changed: None
        """Is called with exports after a change of theirs is stored."""
        self._work = data_folder.root / "exports"
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self.run, name="exports", daemon=True)

    def start(self) -> None:
        """Queue again what the last process was making, forget what is not there any more, and start the thread."""
        if self._settings.count <= 0 and not self._storage.is_shared:
            return
        shutil.rmtree(self._work, ignore_errors=True)
        # Where others use the storage they are making some, and what the dead have left is taken over.
        if not self._storage.is_shared and (count := self._store.end_exports_of_dead()):
            logger.info("Queued %s again that the last process had not finished.", counted(count, "export"))
        self._store.forget_exports([name for name, key in self._store.made_exports() if self._storage.is_lost(key)])
        self._store.database.subscribe(EXPORTS, lambda _id: self.notify())
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it was making is queued again."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def notify(self) -> None:
        """Note that something was queued, or deleted."""
        self._wake.set()

    def run(self) -> None:
        """Make one export after the other, until `stop`."""
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                wait = self._next()
            except StorageError as problem:
                logger.warning("Exports wait: %s", problem.detail)
                wait = LOOK_SECONDS
            except Exception:  # the thread must not end
                logger.exception("An export met an error, and the next one follows.")
                wait = LOOK_SECONDS
            if wait and not self._stopping.is_set():
                self._wake.wait(wait)

    def _next(self) -> float:
        """Make the next export; return how long to wait for another one."""
        if self._store.is_queue_held():
            return WAIT_SECONDS
        is_short = self._data_folder.shortage() is not None
        self.publish(self._store.hold_exports(WAITING if is_short else ""))
        if is_short:
            return LOOK_SECONDS
        job = self._store.claim_export(self._settings.lease_seconds)
        if job is None:
            return WAIT_SECONDS
        self.publish([job.export])
        with self._in_use.hold(job.row.generation_id):
            self._process(job)
        return 0.0

    def _process(self, job: ExportJob) -> None:
        begun = time.monotonic()
        try:
            self._make(job)
        except StaleWriteError as stale:
            logger.info("%s: %s", job.row.id, stale.detail)
        except _StoppedError:
            self._give_back(job)
        except WriterLostError:
            self._lose(job, time.monotonic() - begun)
        except BrokenMediaError as problem:
            self._fail(job, ExportFailedError(problem.detail))
        except FileNotFoundError:
            self._fail(job, FileMissingError("The video is gone from the data folder. Render it again."))
        except OSError as problem:
            self._fail(job, _disk_error(problem))
        except StorageAwayError:
            self._give_back(job)
            raise  # a moment later again
        except StorageError as problem:
            self._data_folder.note_fault()
            self._fail(job, problem)
        except Exception:
            logger.exception("%s: the worker failed.", job.row.id)
            self._fail(job, ExportFailedError())
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _make(self, job: ExportJob) -> None:
        if job.row.attempt > 1:  # an attempt that died may have left its file before it had a row
            self._storage.delete(job.key(job.row.attempt - 1))
        self._check_space(job)
        self._work.mkdir(parents=True, exist_ok=True)
        target = self._work / f"{job.row.id}.{KINDS[job.format].ending}"
        with ExitStack() as fetched:
            with self._renewed(job):
                source = fetched.enter_context(self._storage.local_copy(job.source_key))
            self._follow(job, ExportTask(str(source), str(target), job.format))
        # The lease is renewed before the file gets its key, so that no other attempt begins meanwhile.
        self._write(job, progress=99.0)
        with self._renewed(job):
            size = self._storage.put(target, job.key(job.row.attempt))
        try:
            done = self._store.finish_export(job, size)
        except StaleWriteError:
            self._storage.delete(job.key(job.row.attempt))
            raise
        self.publish([done])

    @contextmanager
    def _renewed(self, job: ExportJob) -> Iterator[None]:
        """Renew the lease meanwhile: a bucket may take longer for a large file than a lease holds."""
        if not self._storage.is_shared:
            yield
            return
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._settings.lease_seconds / 3):
                try:
                    self._store.update_export(job, self._settings.lease_seconds)
                except StaleWriteError:
                    return  # whoever writes next finds out
                except StorageError as problem:
                    logger.warning("%s: its lease could not be renewed: %s", job.row.id, problem.detail)

        thread = threading.Thread(target=renew, name="export-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _follow(self, job: ExportJob, task: ExportTask) -> None:
        """Run the child to its end: its progress is stored, the lease renewed, and the free space watched."""
        last, shown, written = "", 0.0, time.monotonic()
        with closing(follow_export(task)) as lines:
            for line in lines:
                if self._stopping.is_set():
                    raise _StoppedError
                last = last if line is None else line
                now, progress = time.monotonic(), _percent(last)
                is_due = now - written >= (PROGRESS_SECONDS if progress > shown else self._settings.lease_seconds / 3)
                if not is_due:
                    continue
                self._check_free(0)
                self._write(job, progress=max(shown, progress))
                shown, written = max(shown, progress), now
        check_outcome(last, f"made into {job.format.upper()}")

    def _check_space(self, job: ExportJob) -> None:
        """Refuse what would fill the disk before it is done, as far as that can be known."""
        pixels = job.width * job.height * job.frames
        expected = {"webm": job.source_bytes, "gif": min(pixels, 480 * 480 * job.frames), "png": 3 * pixels * _PNG_PART}
        self._check_free(round(expected[job.format]))

    def _check_free(self, needed: int) -> None:
        free = self._data_folder.free_bytes() - self._data_folder.reserve_bytes
        if needed > free or free < 0:
            about = f"this export needs about {max(1, needed // 1_000_000)} MB, " if needed else ""
            raise StorageError(
                f"The disk is almost full: {about}{max(0, free) // 1_000_000} MB can be used. "
                "Free some space, and try again."
            )

    def _write(self, job: ExportJob, **values: Any) -> None:
        self.publish([self._store.update_export(job, self._settings.lease_seconds, **values)])

    def _lose(self, job: ExportJob, seconds: float) -> None:
        if seconds >= LONGEST_SECONDS:
            text = f"This takes longer than {LONGEST_SECONDS // 60} minutes. Choose another format."
            self._fail(job, ExportFailedError(text))
        elif job.row.lost + 1 >= self._settings.max_attempts:
            text = f"The process that makes the file has ended {counted(job.row.lost + 1, 'time')}. Try again later."
            self._fail(job, ExportFailedError(text))
        else:
            logger.warning("%s: the process that made it has ended; it is made again.", job.row.id)
            self._until_stored(job, status="queued", progress=0.0, lost=job.row.lost + 1)

    def _fail(self, job: ExportJob, problem: VideogenError) -> None:
        logger.warning("%s failed (%s): %s", job.row.id, problem.code, problem.detail)
        error = {"error_code": problem.code, "error_message": problem.detail}
        self._until_stored(job, status="failed", finished_at=self._store.clock(), **error)

    def _give_back(self, job: ExportJob) -> None:
        try:
            self._write(job, status="queued", progress=0.0)
        except (StaleWriteError, StorageError):
            pass  # it was deleted; or its lease ends, or the next start queues it

    def _until_stored(self, job: ExportJob, **values: Any) -> None:
        while not self._stopping.is_set():
            try:
                self._write(job, **values)
            except StaleWriteError:
                return
            except StorageError:
                self._stopping.wait(LOOK_SECONDS)
            else:
                return


class _StoppedError(Exception):
    """The server stops."""


def _percent(line: str) -> float:
    done, _, total = line.partition("/")
    if not (done.isdecimal() and total.isdecimal() and int(total)):
        return 0.0
    return min(99.0, round(100 * int(done) / int(total), 1))


def _disk_error(problem: OSError) -> VideogenError:
    if problem.errno == errno.EFBIG:
        return ExportFailedError(f"The file is larger than {MOST_BYTES // 10**9} GB. Choose another format.")
    return StorageError(
        f"The file could not be written: {problem.strerror or problem}. Free some space, and try again."
    )


def remove_export_files(storage: Storage, removed: Sequence[tuple[str, int]]) -> None:
    """Remove the files of exports whose rows are gone."""
    for key, _ in removed:
        try:
            storage.delete(key)
        except StorageError as problem:
            logger.warning("%s could not be removed: %s", Path(key).name, problem.detail)
