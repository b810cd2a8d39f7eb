"""Workers: claim a generation, render it in a child process, persist and publish what happens."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from videogen.core.errors import (
    DatabaseDamagedError,
    InputMissingError,
    NotReadyError,
    StaleWriteError,
    StorageError,
    VideogenError,
    is_disk_fault,
)
from videogen.core.security import new_id
from videogen.engines.base import Recipe, RenderLost
from videogen.engines.process.host import RenderProcess
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.engines.process.spawn import end_orphans
from videogen.jobs.base import Lease, Queue
from videogen.jobs.cleanup import CleanupThread
from videogen.jobs.disk_guard import LOOK_SECONDS, DiskGuard
from videogen.jobs.reporter import ProgressRecorder
from videogen.storage import DataFolder, Storage
from videogen.store import Failure, Result, Store

logger = logging.getLogger(__name__)
SPARES: Final = 2
"""Idle renderers: one for the next job, and one for its next attempt."""

SUSPEND_SECONDS: Final = 1.5
"""How long a renderer has, when the server stops, to reach its next checkpoint."""
STOP_SECONDS: Final = 5.0
"""How long a stop waits for the worker threads, after their renderers were killed."""


@dataclass(slots=True)
class _Running:
    """The renderers that work now, by generation."""

    held: set[str] = field(default_factory=set)
    """From its claim on; its process comes a little later."""
    processes: dict[str, RenderProcess] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How many workers there are, and how patient they are; both times in seconds."""

    count: int
    lease_seconds: float
    stall_seconds: float = 0.0
    """After so long a silence a renderer is taken for hung; 0: never."""


class WorkerPool:
    """Threads that each render one generation at a time, one that keeps their leases, and one that tidies up."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        storage: Storage,
        data_folder: DataFolder,
        references: Mapping[str, str],
        terms: WorkerSettings,
    ) -> None:
        self._store, self._queue, self._storage, self._data_folder = store, queue, storage, data_folder
        self._references = references
        self._terms = terms
        self._owner = new_id("wrk")
        self._stopping = threading.Event()
        self._room = DiskGuard(store, data_folder, self._stopping)
        self._running = _Running()
        self._threads: list[threading.Thread] = []
        self._spare: ProcessPool | None = None
        self._tidier = CleanupThread(store, storage, data_folder, self._holds)
        queue.watch_cancels(self._cancel)

    def start(self) -> None:
        """Take up what the last process left, and begin to work."""
        if orphans := end_orphans():
            logger.warning("%d processes that renderers of a dead server had started were killed.", orphans)
        recovered = self._queue.recover()
        if recovered:
            logger.info("%d generations go on where the last process left them.", recovered)
        targets = {"tidy": self._tidier.run}
        if self._terms.count:
            # The test suite sets this to 0: idle renderers cost it more than they save.
            if spares := int(os.environ.get("VIDEOGEN_TEST_SPARES", SPARES)):
                self._spare = ProcessPool(spares)
            targets |= {f"worker-{index}": self._work for index in range(self._terms.count)}
            targets["leases"] = self._keep_leases
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in targets.items()]
        for thread in self._threads:
            thread.start()

    def look_at_trash(self) -> None:
        """Something has come into the trash, and is to be removed in its time."""
        self._tidier.look_at_trash()

    def _cancel(self, generation_id: str) -> None:
        """Stop the renderer of a generation, if it runs here."""
        with self._running.lock:
            process = self._running.processes.get(generation_id)
        if process is not None:
            process.cancel()

    def check(self) -> None:
        """Raise NotReadyError when a worker thread has died."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead and not self._stopping.is_set():
            raise NotReadyError(f"Worker threads have ended: {', '.join(dead)}. Restart the server.")

    def begin_stop(self) -> None:
        """Take no more jobs, and ask every renderer to end at its next checkpoint; again is nothing."""
        self._stopping.set()
        self._queue.notify()
        with self._running.lock:
            processes = list(self._running.processes.values())
        for process in processes:
            process.suspend(SUSPEND_SECONDS)

    def stop(self) -> None:
        """Stop in bounded time. What was rendering is queued again; the next start goes on from its checkpoint."""
        self.begin_stop()
        deadline = time.monotonic() + SUSPEND_SECONDS + STOP_SECONDS
        # What tidies up comes last: the others still tell it what has ended.
        for thread in reversed(self._threads):
            if thread is self._threads[0]:
                self._tidier.end()
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._spare is not None:
            self._spare.close()

    def _work(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            try:
                if self._room.is_short():
                    seen = self._queue.wait(seen, LOOK_SECONDS)
                    continue
                lease = self._claim()
                if lease is None:
                    # The time limit is for leases of other processes, whose expiry nobody announces.
                    seen = self._queue.wait(seen, self._terms.lease_seconds)
                else:
                    self._serve(lease)
            except StorageError as problem:
                self._data_folder.note_fault()
                self._room.log_once(problem)
                self._stopping.wait(LOOK_SECONDS)
            except Exception:  # the border of the thread: one bad job or a full disk must not end the worker
                logger.exception("A worker stumbled; it goes on.")
                self._stopping.wait(1.0)

    def _claim(self) -> Lease | None:
        # Under the lock: between a claim and its note here, another thread could take the lease for a lost one.
        with self._running.lock:
            lease = self._queue.claim(self._owner, self._running.held)
            if lease is not None:
                self._running.held.add(lease.generation_id)
            return lease

    def _serve(self, lease: Lease) -> None:
        try:
            self._render(lease)
        except StaleWriteError:
            logger.warning("%s attempt %d was overtaken; its renderer is stopped.", *_names(lease))
        finally:
            with self._running.lock:
                self._running.processes.pop(lease.generation_id, None)
                self._running.held.discard(lease.generation_id)
            self._tidier.note(lease.generation_id)

    def _holds(self, generation_id: str) -> bool:
        with self._running.lock:
            return generation_id in self._running.held

    def _keep_leases(self) -> None:
        # A thread of its own: neither a busy renderer nor a busy event loop may delay it.
        while not self._stopping.wait(self._terms.lease_seconds / 3):
            with self._running.lock:
                held = list(self._running.held)
            try:
                self._queue.renew(self._owner, held)
                self._store.update_expectations()
            except StorageError as problem:
                # What is held in this process stays its own, whatever the lease says.
                self._room.log_once(problem)
            except Exception:  # the border of the thread: the next beat may succeed
                logger.exception("The leases could not be renewed.")

    def _render(self, lease: Lease) -> None:
        reporter = ProgressRecorder(self._store, self._storage, lease, partial(self._finish, lease))
        try:
            with ExitStack() as inputs, self._launch(lease, inputs, reporter.pause) as process:
                self._enter(lease, process)
                for message in process.messages():
                    reporter.take(message)
        except StaleWriteError:
            raise
        except RenderLost as problem:
            reason, count = str(problem), not self._stopping.is_set()
            self._room.retry_until_stored(lambda: self._queue.lose(lease, reason, count=count))
        except VideogenError as problem:
            self._give_up(lease, problem)
        except Exception:
            logger.exception("%s attempt %d: the worker failed.", *_names(lease))
            self._queue.lose(lease, "The worker failed.")

    def _give_up(self, lease: Lease, problem: VideogenError) -> None:
        """No result this time. For the lack of room it waits; anything else ends it."""
        if isinstance(problem, StorageError):
            self._data_folder.note_fault()
            if self._room.is_short():
                self._room.retry_until_stored(lambda: self._queue.lose(lease, "The disk is full.", count=False))
                return
            if not lease.last and not isinstance(problem, DatabaseDamagedError):
                # There is room by now, or the fault lies elsewhere; the next attempt shows which.
                self._room.retry_until_stored(lambda: self._queue.lose(lease, "The disk took no bytes for a moment."))
                return
        retryable = not isinstance(problem, InputMissingError)
        self._finish(lease, Failure(problem.code, problem.detail, retryable=retryable))

    def _finish(self, lease: Lease, outcome: Result | Failure) -> None:
        self._room.retry_until_stored(lambda: self._queue.finish(lease, outcome))

    def _launch(self, lease: Lease, inputs: ExitStack, on_pause: Callable[[], None]) -> RenderProcess:
        """Start the renderer of a lease.

        Raises:
            VideogenError: it cannot be rendered here, and no other attempt could.
            RenderLost: no process could be started.
        """
        try:
            recipe = Recipe(**lease.recipe)
        except ValidationError as problem:
            logger.warning("%s has a recipe of another version: %s", lease.generation_id, problem)
            raise VideogenError("This version of videogen cannot read its recipe. Submit it again.") from problem
        if recipe.engine not in self._references:
            raise VideogenError(f"The engine {recipe.engine!r} is not on offer any more. Choose another one.")
        if recipe.input_digest is not None:
            recipe = recipe.model_copy(update={"input_path": self._input(lease, inputs)})
        job = RenderJob(
            engine=self._references[recipe.engine],
            recipe=recipe,
            workdir=self._data_folder.make_work_folder(lease.generation_id),
            attempt=lease.attempt,
            checkpoint=lease.checkpoint,
        )
        try:
            return RenderProcess(job, stall=self._terms.stall_seconds, spare=self._spare, on_pause=on_pause)
        except OSError as problem:
            if is_disk_fault(problem):
                raise StorageError(f"No renderer could be started: {problem.strerror}.") from problem
            self._stopping.wait(1.0)  # whatever the system lacks may come back
            raise RenderLost(f"No renderer could be started: {problem.strerror or problem}.") from problem

    def _input(self, lease: Lease, inputs: ExitStack) -> Path:
        """Where the image lies that a generation starts from: the same file for every attempt.

        Raises:
            InputMissingError: somebody took it out of the data folder.
        """
        upload = self._store.find_input(lease.generation_id)
        if upload is None:
            raise InputMissingError
        try:
            return inputs.enter_context(self._storage.local_copy(upload.key))
        except OSError:
            raise InputMissingError from None

    def _enter(self, lease: Lease, process: RenderProcess) -> None:
        with self._running.lock:
            self._running.processes[lease.generation_id] = process
        # A cancel or a stop that came between the claim and this line found no process to tell.
        if self._stopping.is_set():
            process.kill()
        if self._store.cancel_requested(lease.generation_id):
            process.cancel()


def _names(lease: Lease) -> tuple[str, int]:
    return lease.generation_id, lease.attempt
