"""The renderer children of all engines: spares that wait for a job, and shared ones that take another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from videogen.engines.process.connection import ChildConnection, Mailbox
from videogen.engines.process.protocol import JobKey, RenderJob
from videogen.engines.process.spawn import ChildProcess, spawn
from videogen.engines.registry import process_policy


class ProcessPool:
    """Gives each job a child of its engine: one of its own, or a shared one, as the engine's `ProcessPolicy` says.

    A spare has the engine's imports behind it, so that a job's first picture comes sooner. The imports take half a
    second of a core or more. So spares are made while nothing renders, if possible, and always one more than the
    next job needs: if its renderer dies, its next attempt finds one too.

    Thread-safe. Close it, or its children live until this process ends.
    """

    def __init__(self, spares: int = 0, quiet: float = 1.0) -> None:
        """Make a pool without children.

        Args:
            spares: how many spare children to keep for all engines together.
            quiet: seconds without a job until all of them are made, for an engine whose children are not shared.
        """
        self._spares, self._quiet = spares, quiet
        self._lock = threading.Lock()
        self._closed = False
        self._idle: list[tuple[str, Future[ChildProcess]]] = []
        self._shared: list[ChildConnection] = []
        self._connections: set[ChildConnection] = set()
        """All children that have had a job."""
        self._jobs = 0
        self._timer: threading.Timer | None = None
        self._unloads: dict[ChildConnection, threading.Timer] = {}
        """When children that have stayed end, if no other job comes."""

    def start(self, job: RenderJob) -> tuple[ChildConnection, Mailbox]:
        """Start a job in a child of its engine. Call `finish` after its end.

        Raises:
            ConfigError: there is no such engine.
            OSError: no process could be started.
        """
        mode = process_policy(job.engine).mode
        limit = None if mode == "concurrent" else 1
        with self._lock:
            for connection in self._shared:
                if connection.engine == job.engine and (mailbox := connection.start(job, limit)):
                    break
            else:
                connection = ChildConnection(job.engine, self._take_spare(job.engine) or spawn(job.engine).result())
                mailbox = connection.start(job, limit)
                if mode != "per_job":
                    self._shared.append(connection)
                else:
                    connection.retire()
            self._jobs += 1
            self._connections.add(connection)
        assert mailbox is not None, "a new child takes its first job"
        return connection, mailbox

    def finish(self, connection: ChildConnection, key: JobKey) -> None:
        """A job has ended. Its child ends too, if no other job can use it."""
        with self._lock:
            self._jobs -= 1
            if self._closed:
                connection.retire()
        if connection.finish(key):
            self._close(connection)
        else:
            self._unload_later(connection)
        self.prepare(connection.engine)
        if process_policy(connection.engine).mode == "per_job":
            self._fill_later(connection.engine)

    def prepare(self, engine: str) -> None:
        """Start a spare child for an engine, given by its reference, unless there is one. One of another engine may
        have to end for it."""
        with self._lock:
            if self._closed or not self._spares or any(name == engine for name, _ in self._idle):
                return
            replaced = self._idle.pop(0) if len(self._idle) >= self._spares else None
            self._idle.append((engine, spawn(engine)))
        if replaced and (child := _started(replaced[1])):
            child.close()

    def retire(self, engine: str) -> None:
        """End the children of an engine, given by its reference, that have no job; those with a job take no other."""
        with self._lock:
            idle = [future for name, future in self._idle if name == engine]
            self._idle = [spare for spare in self._idle if spare[0] != engine]
            shared = [connection for connection in self._shared if connection.engine == engine]
        for child in filter(None, map(_started, idle)):
            child.close()
        for connection in shared:
            connection.retire()
            if connection.retire_if_idle():
                self._close(connection)

    def spare_pid(self, engine: str) -> int | None:
        """Process id of the spare child that the next job of an engine would get, if there is one."""
        with self._lock:
            child = next((_started(future) for name, future in self._idle if name == engine), None)
        return child.process.pid if child else None

    def pids(self) -> list[int]:
        """The process ids of all its children."""
        with self._lock:
            spares = [_started(future) for _, future in self._idle if future.done()]
            children = [connection.child for connection in self._connections] + [child for child in spares if child]
            return [child.process.pid for child in children]

    def close(self) -> None:
        """Kill the children without a job; those with a job end with it. No other is started."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
            shared = list(self._shared)
        for _, future in idle:
            if child := _started(future):
                child.close()
        for connection in shared:
            if connection.retire_if_idle():
                self._close(connection)

    def _take_spare(self, engine: str) -> ChildProcess | None:
        for spare in [spare for spare in self._idle if spare[0] == engine]:
            self._idle.remove(spare)
            if child := _started(spare[1]):
                if not child.has_exited():
                    return child
                child.close()
        return None

    def _close(self, connection: ChildConnection) -> None:
        with self._lock:
            self._connections.discard(connection)
            if (timer := self._unloads.pop(connection, None)) is not None:
                timer.cancel()
            if connection in self._shared:
                self._shared.remove(connection)
        connection.close()

    def _fill_later(self, engine: str) -> None:
        with self._lock:
            if self._closed or self._spares <= 1:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = start_timer(self._quiet, lambda: self._fill(engine))

    def _fill(self, engine: str) -> None:
        with self._lock:
            while not self._closed and not self._jobs and len(self._idle) < self._spares:
                self._idle.append((engine, spawn(engine)))

    def _unload_later(self, connection: ChildConnection) -> None:
        seconds, jobs_started = process_policy(connection.engine).idle_seconds, connection.jobs_started

        def unload() -> None:
            if connection.jobs_started == jobs_started and connection.retire_if_idle():
                self._close(connection)

        if seconds:
            with self._lock:
                # Each timer is a thread: one for each child, not for each job that it has had.
                if (before := self._unloads.pop(connection, None)) is not None:
                    before.cancel()
                self._unloads[connection] = start_timer(seconds, unload)


def _started(future: Future[ChildProcess]) -> ChildProcess | None:
    """The child that was asked for, or None where none could be started."""
    try:
        return future.result()
    except OSError:
        return None


def start_timer(seconds: float, action: Callable[[], None]) -> threading.Timer:
    """Call `action` in so many seconds, on a thread that does not keep this process alive."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer
