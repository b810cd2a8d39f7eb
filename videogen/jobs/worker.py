"""Workers: claim a generation, render it in a child process, store and publish what happens."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from videogen.core.errors import (
    DatabaseDamagedError,
    InputMissingError,
    NotReadyError,
    StaleWriteError,
    StorageError,
    VideogenError,
)
from videogen.core.log_context import begin_context
from videogen.core.security import new_id
from videogen.core.text import counted
from videogen.engines.base import RenderLost
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.spawn import end_orphans
from videogen.engines.registry import process_policy
from videogen.jobs.base import Lease, Queue
from videogen.jobs.cleanup import CleanupThread
from videogen.jobs.disk_guard import LOOK_SECONDS, DiskGuard
from videogen.jobs.render_logs import RenderLogs
from videogen.jobs.renderers import Renderers
from videogen.jobs.reporter import ProgressRecorder
from videogen.jobs.settings import WorkerSettings
from videogen.schemas.generations import Attention
from videogen.storage import DataFolder, Storage
from videogen.store import LOOK, Failure, Outcome, Store, Unknown

logger = logging.getLogger(__name__)
STOP_SECONDS: Final = 5.0
"""Time that a stop waits for the worker threads after their renderers were killed."""


class WorkerPool:
    """Threads: one claims generations, one renews their leases, one cleans up; each claimed one has a worker.

    Each engine has a number of workers and child processes of its own, so that none waits for another.
    """

    def __init__(
        self,
        store: Store,
        queue: Queue,
        storage: Storage,
        data_folder: DataFolder,
        references: Mapping[str, str],
        settings: WorkerSettings,
    ) -> None:
        self._store, self._queue, self._storage, self._data_folder = store, queue, storage, data_folder
        self._references, self._settings = references, settings
        self._owner, self._stopping, self._workers_ended = new_id("wrk"), threading.Event(), threading.Event()
        self._recorder = partial(ProgressRecorder, store, storage, moderator=settings.moderator)
        self.unavailable: Mapping[str, str] = {}
        self._disk_guard = DiskGuard(store, data_folder, self._stopping)
        self.held: dict[str, Lease] = {}
        """The newest lease of each claimed generation, by id; a claimed one gets its renderer a little later."""
        self._workers, self._threads = set[threading.Thread](), list[threading.Thread]()
        self._renderers, self._lock = dict[str, RenderHandle](), threading.Lock()
        self.processes = Renderers(store, storage, data_folder, references, self._stopping)
        self._logs = RenderLogs(store, storage, data_folder)
        self._cleanup = CleanupThread(store, storage, data_folder, self._holds)
        queue.watch_cancels(self._cancel)

    def start(self) -> None:
        """Queue again what the last process left, and start the threads."""
        if orphans := end_orphans():
            what = counted(orphans, "process", "processes")
            logger.warning("Killed %s that renderers of a dead server had started.", what)
        if recovered := self._queue.recover():
            logger.info("Queued %s again that the last process had not finished.", counted(recovered, "generation"))
        if self._settings.shows_holds:
            self._store.hold_engines(self.unavailable)
        targets = {"cleanup": self._cleanup.run}
        if any(map(self._settings.workers_of, self._references)):
            self.processes.prepare()
            targets |= {"claims": self._claim_jobs, "leases": self._renew_leases}
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in targets.items()]
        for thread in self._threads:
            thread.start()

    def hold_engines(self, reasons: Mapping[str, str]) -> None:
        """Start no job of these engines, which cannot render now. What is queued for them waits, and shows why."""
        self.unavailable = reasons
        self._queue.supervise()
        self._store.hold_engines(reasons)
        self._queue.notify()

    def check_trash(self) -> None:
        """Wake the cleanup thread: something was put into the trash."""
        self._cleanup.check_trash()

    def _cancel(self, generation_id: str) -> None:
        """Stop the renderer of a generation, if it runs here."""
        with self._lock:
            renderer = self._renderers.get(generation_id)
        if renderer is not None:
            renderer.cancel()

    def check(self) -> None:
        """Raise NotReadyError when a worker thread has died."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead and not self._stopping.is_set():
            raise NotReadyError(f"Worker threads have ended: {', '.join(dead)}. Restart the server.")

    def begin_stop(self) -> None:
        """Claim no more jobs, and ask every renderer to end at its next checkpoint. A second call does nothing."""
        self._stopping.set()
        self._queue.notify()
        with self._lock:
            renderers = list(self._renderers.values())
        for renderer in renderers:
            renderer.suspend(self._settings.suspend_seconds)

    def stop(self) -> None:
        """Stop in bounded time. What was rendering is queued again; the next start goes on from its checkpoint."""
        self.begin_stop()
        deadline = time.monotonic() + self._settings.suspend_seconds + STOP_SECONDS

        def join(threads: Iterable[threading.Thread]) -> None:
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))

        join(thread for thread in self._threads if thread.name == "claims")
        with self._lock:
            workers = list(self._workers)
        join(workers)
        self._workers_ended.set()  # until now, what still rendered kept its lease
        self._cleanup.stop()
        join(self._threads)
        self.processes.close()

    def _claim_jobs(self) -> None:
        seen = 0

        def claim() -> None:
            nonlocal seen
            if (self._disk_guard.is_clear() or not self._disk_guard.is_held()) and (leases := self._claim()):
                for lease in leases:
                    self._survive(partial(self._start_worker, lease))
            else:
                # With a time limit: nobody announces the expiry of leases of other processes.
                seconds = LOOK_SECONDS if self._disk_guard.is_held() else self._settings.lease_seconds
                seen = self._queue.wait(seen, seconds)

        while not self._stopping.is_set():
            self._survive(claim)

    def _claim(self) -> list[Lease]:
        """Claim for all free slots; also generations that no engine here renders, to end them."""
        # Under the lock: between the claim and its entry here, another thread could take the lease for a lost one.
        with self._lock:
            slots = self._free_slots()
            if not self.unavailable and not any(count > 0 for count in slots.values()):
                return []
            leases = self._queue.claim_all(self._owner, slots, list(self.held))
            self.held |= {lease.generation_id: lease for lease in leases}
            return leases

    def _free_slots(self) -> dict[str, int]:
        """How many more generations of each engine may be rendered."""
        busy, slots_of = Counter(lease.engine for lease in self.held.values()), self._settings.slots_of
        return {name: 0 if name in self.unavailable else slots_of(name) - busy[name] for name in self._references}

    def _start_worker(self, lease: Lease) -> None:
        with self._lock:
            earlier = [worker for worker in self._workers if worker.name == lease.generation_id]
            worker = threading.Thread(target=self._work, args=(lease, earlier), name=lease.generation_id, daemon=True)
            self._workers.add(worker)
        try:
            worker.start()
        except RuntimeError:  # the system has no more threads for now
            self._free_slot(lease, worker)
            self._lose(lease, "No worker could be started.", count=False)
            raise

    def _work(self, lease: Lease, earlier: Iterable[threading.Thread]) -> None:
        begin_context(**lease.log_fields)
        try:
            for worker in earlier:  # of an attempt whose lease was lost: both use one work folder
                self._cancel(lease.generation_id)
                worker.join()
            self._survive(partial(self._process, lease))
        finally:
            self._free_slot(lease, threading.current_thread())
            self._queue.notify()
            self._cleanup.check(lease.generation_id)

    def _free_slot(self, lease: Lease, worker: threading.Thread) -> None:
        with self._lock:
            self.held = {name: held for name, held in self.held.items() if held is not lease}
            self._workers.discard(worker)

    def _survive(self, action: Callable[[], None]) -> None:
        """Call `action`. An error is logged, and what follows waits a moment: one bad job must not end the others."""
        try:
            action()
        except StorageError as problem:
            self._data_folder.note_fault()
            self._disk_guard.log_once(problem)
            self._stopping.wait(LOOK_SECONDS)
        except Exception:
            logger.exception("A worker met an error, and goes on.")
            self._stopping.wait(1.0)

    def _process(self, lease: Lease) -> None:
        try:
            self._render(lease)
        except StaleWriteError:
            logger.warning("%s attempt %d lost its lease; its renderer is stopped.", lease.generation_id, lease.attempt)
        finally:
            with self._lock:
                self._renderers.pop(lease.generation_id, None)

    def _holds(self, generation_id: str) -> bool:
        with self._lock:
            return generation_id in self.held

    def _renew_leases(self) -> None:
        # On a thread of its own: neither a busy renderer nor a busy event loop may delay it.
        while not self._workers_ended.wait(self._settings.lease_seconds / 3):
            with self._lock:
                held = list(self.held)
            try:
                self._queue.renew(self._owner, held)
                self._queue.supervise()
                self._store.update_expectations()
                for generation_id in held:
                    self._logs.limit(generation_id)
            except StorageError as problem:
                # What is claimed by this process stays its own, whatever the lease says.
                self._disk_guard.log_once(problem)
            except Exception:  # the top of the thread: the next attempt may succeed
                logger.exception("The leases could not be renewed.")

    def _render(self, lease: Lease) -> None:
        recorder = self._recorder(lease, partial(self._finish, lease))
        recorder.before_checkpoint = partial(self.processes.checkpoints.upload, lease)
        start = partial(self.processes.start, lease, stall=self._settings.stall_seconds, on_idle=recorder.flush)
        try:
            with ExitStack() as inputs, start(inputs) as renderer:
                self._register(lease, renderer)
                for message in renderer.messages():
                    recorder.record(message)
        except StaleWriteError:
            raise
        except RenderLost as problem:
            if not self._stopping.is_set():
                logger.warning("%s attempt %d was lost: %s", lease.generation_id, lease.attempt, problem)
            self._lose(lease, str(problem), count=not self._stopping.is_set())
        except VideogenError as problem:
            self._end_without_result(lease, problem)
        except Exception:
            logger.exception("%s attempt %d: the worker failed.", lease.generation_id, lease.attempt)
            self._queue.lose(lease, "The worker failed.")

    def _end_without_result(self, lease: Lease, problem: VideogenError) -> None:
        """Fail the generation; for a fault of the disk, queue it again."""
        if isinstance(problem, StorageError):
            is_full = self._disk_guard.takes_nothing(problem)
            # Where it is not full, there is space by now, or the fault is another one; the next attempt shows which.
            if is_full or not (lease.last or isinstance(problem, DatabaseDamagedError)):
                reason = "The disk is full." if is_full else "The disk could not be written for a moment."
                self._lose(lease, reason, count=not is_full)
                return
        if lease.checkpoint and (LOOK in lease.checkpoint or problem.code == "account_required"):
            self._finish(lease, Unknown(problem.detail, Attention()))
            return
        self._finish(lease, Failure(problem.code, problem.detail, retryable=not isinstance(problem, InputMissingError)))

    def _lose(self, lease: Lease, reason: str, *, count: bool) -> None:
        if count and lease.last and process_policy(self._references[lease.engine]).keep_checkpoints:
            self._finish(lease, Unknown(f"{reason} The service may have the job.", Attention()))
            return
        self._disk_guard.retry_until_stored(lambda: self._queue.lose(lease, reason, count=count))

    def _finish(self, lease: Lease, outcome: Outcome) -> None:
        if isinstance(outcome, Failure) and outcome.code != "cancelled":
            text, name = "%s attempt %d failed (%s): %s What its engine printed: videogen log %s", lease.generation_id
            logger.warning(text, name, lease.attempt, outcome.code, outcome.message, name)
        self._disk_guard.retry_until_stored(lambda: self._queue.finish(lease, outcome))

    def _register(self, lease: Lease, renderer: RenderHandle) -> None:
        with self._lock:
            self._renderers[lease.generation_id] = renderer
        # A cancel or a stop between the claim and this line found no renderer.
        if self._stopping.is_set():
            renderer.kill()
        if self._store.cancel_requested(lease.generation_id):
            renderer.cancel()
