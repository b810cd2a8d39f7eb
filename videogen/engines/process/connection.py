"""The host's connection to one child: it hands out the child's messages to the jobs that run there."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Final

from pydantic import ValidationError

from videogen.core.memory import machine_memory, process_memory
from videogen.engines.process import protocol
from videogen.engines.process.spawn import ChildProcess
from videogen.engines.registry import process_policy

_POLL_SECONDS: Final = 0.5
_MEMORY_SECONDS: Final = 0.25
"""How often the memory of a child is looked at."""
_MEMORY_SHARE: Final = 0.9
"""Of the machine's memory, for a child whose policy has no limit."""
_MIB: Final = 1 << 20
_CHUNK: Final = 1 << 16
_MAX_WAITING: Final = 1000
"""Unread messages of one job. Beyond that, progress and previews are dropped: newer ones replace them anyway. So are
lines of the log, which the job's own log has."""
_REPLACEABLE: Final = (protocol.Progress, protocol.Alive, protocol.Preview, protocol.LogLine)

Mailbox = SimpleQueue[protocol.Message | None]
"""The messages of one job; None: nothing more will come."""


class ChildConnection:
    """A child process and the jobs that it renders. Thread-safe."""

    def __init__(self, engine: str, child: ChildProcess) -> None:
        self.engine, self.child = engine, child
        self.jobs_started = 0
        self._mailboxes: dict[protocol.JobKey, Mailbox] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"renderer-{child.process.pid}")
        self._retired = self._ended = self._closed = False
        self._fault = ""
        self._memory_limit = process_policy(engine).memory_mb * _MIB or round(machine_memory() * _MEMORY_SHARE)
        self.took_too_much = False
        """Whether it is ended because it took more memory than it may."""

    def start(self, job: protocol.RenderJob, limit: int | None) -> Mailbox | None:
        """Start a job, and return its mailbox; None when the child takes no further job, or has `limit` already."""
        mailbox: Mailbox = SimpleQueue()
        with self._lock:
            if self._retired or self._ended or (limit is not None and len(self._mailboxes) >= limit):
                return None
            self._mailboxes[job.key] = mailbox
            self.jobs_started += 1
            if self.jobs_started == 1:
                self._reader.start()
        self.child.send(job.key, protocol.Start(job=job))
        return mailbox

    def retire(self) -> None:
        """Take no further job. The child ends after the jobs that it has."""
        with self._lock:
            self._retired = True

    def abandon(self, key: protocol.JobKey) -> None:
        """Give up a job that does not end by itself, and take no further job.

        The child is killed if it has no other job. Else the job's thread is left alone, until the others have ended.
        """
        with self._lock:
            mailbox = self._mailboxes.get(key)
            if mailbox is None:
                return
            self._retired = True
            is_alone = len(self._mailboxes) == 1
        if is_alone:
            self.child.kill()
        else:
            self.child.send(key, protocol.Abandon())  # should it wake up, it must not write any more
            mailbox.put(None)

    def finish(self, key: protocol.JobKey) -> bool:
        """Forget a job. Return whether the child is of no use any more, and must be closed."""
        with self._lock:
            self._mailboxes.pop(key, None)
            return not self._mailboxes and (self._retired or self._ended)

    def retire_if_idle(self) -> bool:
        """Take no further job if there is none now. Return whether that is so; then the child must be closed."""
        with self._lock:
            self._retired = self._retired or not self._mailboxes
            return not self._mailboxes

    def close(self) -> None:
        """Kill and reap the child, and close its descriptors. A second call does nothing."""
        self._closed = True
        self.child.kill()
        if self.jobs_started:
            self._reader.join()
        self.child.close()

    def describe_end(self) -> str:
        """How the child ended, as the end of a sentence that begins with "The renderer"."""
        if self._fault:
            return self._fault
        if not self._ended:
            return "was stopped"
        code = self.child.exit_code()
        if code >= 0:
            return f"ended with exit status {code}"
        cause = " (out of memory, or killed by hand)" if code == -signal.SIGKILL else ""
        return f"was killed by {signal.Signals(-code).name}{cause}"

    def _read(self) -> None:
        for line in self._lines():
            try:
                key, message = protocol.decode(line)
            except ValidationError:
                self._fault = f"wrote {line[:80]!r}, which is not a message"
                break
            with self._lock:
                mailbox = self._mailboxes.get(key)
            is_replaceable = isinstance(message, _REPLACEABLE)
            if mailbox is not None and not (is_replaceable and mailbox.qsize() >= _MAX_WAITING):
                mailbox.put(message)
        with self._lock:
            self._ended = True
            for mailbox in self._mailboxes.values():
                mailbox.put(None)

    def _lines(self) -> Iterator[bytes]:
        """Whole lines until the child closes its pipe or has died; an incomplete last line is dropped."""
        rest, due = b"", 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.messages, selectors.EVENT_READ)
            if self.child.ended is not None:
                selector.register(self.child.ended, selectors.EVENT_READ)
            while True:
                # Asked before reading: what the child wrote before its death is read to the end.
                is_dead = self._closed or self.child.has_exited()
                ready = selector.select(0 if is_dead else min(_POLL_SECONDS, _MEMORY_SECONDS))
                if time.monotonic() >= due:
                    due = time.monotonic() + _MEMORY_SECONDS
                    if self._takes_too_much():
                        return
                if not any(key.fd == self.child.messages for key, _ in ready):
                    # After the child's death, a process that it started may hold the pipe open.
                    if is_dead:
                        return
                    continue
                chunk = os.read(self.child.messages, _CHUNK)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if len(rest) > protocol.MAX_LINE:
                    self._fault = f"wrote a line of more than {protocol.MAX_LINE} bytes"
                    return

    def _takes_too_much(self) -> bool:
        size = process_memory(self.child.process.pid)
        if size > self._memory_limit:
            self.took_too_much = True
            limit = f"{self._memory_limit // _MIB} MiB that it may take"
            self._fault = f"took {size // _MIB} MiB of memory, more than the {limit}, and was killed"
            self.child.kill()
        return self.took_too_much
