"""Workers: claim a generation, render it in a child process, persist and publish what happens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from videogen.engines.base import Recipe, RenderLost
from videogen.engines.host import RenderProcess, Spare
from videogen.engines.protocol import RenderJob
from videogen.errors import InputMissing, MoveRefused, NotReady, StorageFault, VideogenError
from videogen.queue.embedded import EmbeddedQueue, Lease
from videogen.report import Reporter
from videogen.security import new_id
from videogen.storage import DiskStorage
from videogen.store import Fence, Store

logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 5.0
"""How long a stop waits for the worker threads, after their renderers were killed."""


@dataclass(slots=True)
class _Running:
    """The renderers that work now, by generation."""

    held: set[str] = field(default_factory=set)
    """From its claim on; its process comes a little later."""
    processes: dict[str, RenderProcess] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class WorkerPool:
    """Threads that each render one generation at a time, and one that keeps their leases."""

    def __init__(
        self,
        store: Store,
        queue: EmbeddedQueue,
        storage: DiskStorage,
        references: Mapping[str, str],
        *,
        count: int,
        lease_seconds: float,
    ) -> None:
        self._store, self._queue, self._storage = store, queue, storage
        self._references = references
        self._count = count
        self._lease_seconds = lease_seconds
        self._owner = new_id("wrk")
        self._stopping = threading.Event()
        self._running = _Running()
        self._threads: list[threading.Thread] = []
        self._spare: Spare | None = None

    def start(self) -> None:
        """Take up what the last process left, and begin to work."""
        if self._count == 0:
            return
        recovered = self._queue.recover()
        if recovered:
            logger.info("%d generations go on where the last process left them.", recovered)
        self._spare = Spare()
        names = [f"worker-{index}" for index in range(self._count)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._keep_leases, name="leases", daemon=True))
        for thread in self._threads:
            thread.start()

    def notify(self) -> None:
        """There may be work."""
        self._queue.notify()

    def cancel(self, generation_id: str) -> None:
        """Have the renderer of a generation stop, if it runs here."""
        with self._running.lock:
            process = self._running.processes.get(generation_id)
        if process is not None:
            process.cancel()

    def check(self) -> None:
        """Raise NotReady when a worker thread has died."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead and not self._stopping.is_set():
            raise NotReady(f"Worker threads have ended: {', '.join(dead)}. Restart the server.")

    def stop(self) -> None:
        """Stop in bounded time. What was rendering is queued again; the next start goes on from its checkpoint."""
        self._stopping.set()
        self._queue.notify()
        with self._running.lock:
            for process in self._running.processes.values():
                process.kill()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        if self._spare is not None:
            self._spare.close()

    def _work(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            try:
                lease = self._claim()
                if lease is None:
                    # The time limit is for leases of other processes, whose expiry nobody announces.
                    seen = self._queue.wait(seen, self._lease_seconds)
                else:
                    self._serve(lease)
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
        finally:
            with self._running.lock:
                self._running.processes.pop(lease.generation_id, None)
                self._running.held.discard(lease.generation_id)

    def _keep_leases(self) -> None:
        # A thread of its own: neither a busy renderer nor a busy event loop may delay it.
        while not self._stopping.wait(self._lease_seconds / 3):
            with self._running.lock:
                held = list(self._running.held)
            try:
                self._queue.renew(self._owner, held)
            except Exception:  # the border of the thread: the next beat may succeed
                logger.exception("The leases could not be renewed.")

    def _render(self, lease: Lease) -> None:
        fence = Fence(lease.generation_id, lease.attempt)
        try:
            process = self._launch(lease)
        except VideogenError as problem:
            self._store.fail(fence, problem.code, problem.detail, retryable=not isinstance(problem, InputMissing))
            return
        reporter = Reporter(self._store, self._storage, lease)
        try:
            with process:
                self._enter(lease, process)
                for message in process.messages():
                    reporter.take(message)
        except RenderLost as problem:
            self._queue.lose(lease, str(problem), count=not self._stopping.is_set())
        except MoveRefused:
            logger.warning("%s attempt %d was overtaken; its renderer is stopped.", *_names(lease))
        except StorageFault as problem:
            self._store.fail(fence, problem.code, problem.detail, retryable=True)
        except Exception:
            logger.exception("%s attempt %d: the worker failed.", *_names(lease))
            self._queue.lose(lease, "The worker failed.")

    def _launch(self, lease: Lease) -> RenderProcess:
        recipe = Recipe(**lease.recipe)
        if recipe.engine not in self._references:
            raise VideogenError(f"The engine {recipe.engine!r} is not on offer any more. Choose another one.")
        workdir = self._storage.make_workdir(lease.generation_id)
        if recipe.input_digest is not None:
            recipe = recipe.model_copy(update={"input_path": self._input(lease)})
        job = RenderJob(
            engine=self._references[recipe.engine],
            recipe=recipe,
            workdir=workdir,
            attempt=lease.attempt,
            checkpoint=lease.checkpoint,
        )
        return RenderProcess(job, spare=self._spare)

    def _input(self, lease: Lease) -> Path:
        """Where the image lies that a generation starts from: the same file for every attempt.

        Raises:
            InputMissing: somebody took it out of the data folder.
        """
        upload = self._store.find_input(lease.generation_id)
        path = None if upload is None else self._storage.path(upload.key).resolve()
        if path is None or not path.is_file():
            raise InputMissing
        return path

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
