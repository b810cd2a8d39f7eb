"""Follows a job that a provider has to its end: polls it, or reads its stream, and reports what it learns."""

from __future__ import annotations

import io
import logging
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from queue import Empty, Full, Queue
from typing import Final

from videogen.engines.base import NeedsAttention, RenderContext, RenderEnd, RenderFailed
from videogen.engines.remote.faults import Place
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.provider import Provider, RemoteFault, RemoteJob, State, Submitted, Update

logger = logging.getLogger("videogen.render")

STOP_SECONDS: Final = 8.0
"""How long the provider may take to answer that it stops a job."""
_SLICE_SECONDS: Final = 10.0
"""The longest time without a sign of life."""
_GROWTH: Final = 1.5
_STREAM_SECONDS: Final = 0.25
"""How often the updates of a stream are taken."""
_MAX_BREAKS: Final = 5
"""A stream that broke so often is not opened again: the job is polled."""
_MAX_WAITING: Final = 100
"""Updates of a stream that are not taken yet; it is read no further until then."""
_MAX_PREVIEW_PIXELS: Final = 2048 * 2048


@dataclass(slots=True)
class Work:
    """What belongs to one attempt at a job."""

    provider: Provider
    connections: Connections
    place: Place
    ctx: RenderContext
    job: RemoteJob

    @property
    def first_wait(self) -> float:
        """Seconds until the second poll."""
        return self.job.options.poll_seconds or self.provider.poll_seconds[0]

    @property
    def longest_wait(self) -> float:
        """Seconds that the wait between two polls rises to."""
        own = self.job.options.poll_seconds
        return 10 * own if own else self.provider.poll_seconds[1]

    @property
    def http(self) -> HttpClient:
        """For requests that end with a cancel or a stop of the server."""
        return HttpClient(self.connections, self.pause, self.first_wait)

    def pause(self, seconds: float) -> None:
        """Wait, with signs of life. A cancel or a stop of the server ends it."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.ctx.alive()
            self.ctx.wait(min(left, _SLICE_SECONDS))

    def attention(self, text: str, sent: Submitted | None = None) -> NeedsAttention:
        """The end of an attempt that leaves it to a person."""
        provider_id = sent.id if sent else ""
        return NeedsAttention(text, sent_at=self.job.sent_at, provider_id=provider_id, look_at=self.place.look_at)

    def stop(self, sent: Submitted) -> str:
        """Ask the provider to stop a job, and return what it answered, in words. It never raises."""
        http = HttpClient(self.connections, time.sleep, 0.1, seconds=STOP_SECONDS)
        try:
            text = self.provider.cancel(http, self.job, sent)
        except Exception as problem:  # whatever the provider's module does, the job here ends
            reason = problem.message if isinstance(problem, RemoteFault) else type(problem).__name__
            charge = " It may be charged." if self.place.charges else ""
            text = f"{self.place.name} could not be asked to stop job {sent.id} ({reason}).{charge}"
        text = self.connections.without_key(text)
        logger.info("stop of job %s: %s", sent.id, text)
        return text


class Follower:
    """Follows one job in one attempt."""

    def __init__(self, work: Work, sent: Submitted) -> None:
        self._work, self._sent = work, sent
        self._provider, self._place, self._ctx = work.provider, work.place, work.ctx
        self._wait = work.first_wait
        self._asked_wait = 0.0
        self._missing_since: float | None = None
        self._breaks = 0
        self._has_stream = type(work.provider).watch is not Provider.watch
        self._shown: tuple[object, ...] = ()
        self._stage, self._step, self._total = "waiting", 0, 0
        # By the clock of this machine alone, which may have been set since.
        deadline = work.job.options.deadline_seconds
        passed = (datetime.now(UTC) - work.job.sent_at).total_seconds()
        self._ends = time.monotonic() + min(max(deadline - passed, 0.0), deadline)

    def result(self) -> Update:
        """Wait until the job is completed, and return its last update.

        Raises:
            RenderFailed: it failed, or has passed its deadline.
            NeedsAttention: the provider does not know it any more, or does not let it be asked.
            RenderCancelled: it was cancelled here.
        """
        while True:
            update = self._poll()
            if update is None and self._has_stream and self._breaks < _MAX_BREAKS and not self._asked_wait:
                update = self._stream()
            if update is not None:
                return update
            self._check_deadline()
            self._work.pause(max(self._asked_wait, self._wait))
            self._wait = min(self._wait * _GROWTH, max(self._work.longest_wait, self._work.first_wait))

    def _poll(self) -> Update | None:
        """Ask once. Returns the update of a completed job."""
        self._ctx.alive()
        try:
            update = self._provider.poll(self._work.http, self._work.job, self._sent)
        except RemoteFault as fault:
            self._on_fault(fault)
            return None
        except RenderEnd:
            raise
        except Exception:  # an answer in a form that the provider's module does not know
            logger.exception("the answer of %s was not understood; it is asked again", self._place.name)
            return None
        self._missing_since, self._asked_wait = None, 0.0
        return update if self._is_completed(update) else None

    def _on_fault(self, fault: RemoteFault) -> None:
        """Go on, if it may pass. The job exists, so it is not given up as long as it may end well."""
        logger.warning("%s: %s (%s)", self._place.name, fault.message, fault.kind)
        match fault.kind:
            case "not_found":
                now = time.monotonic()
                self._missing_since = now if self._missing_since is None else self._missing_since
                if now - self._missing_since >= self._work.job.options.forgotten_seconds:
                    text = f"{self._place.name} does not know job {self._sent.id} any more. It may have made a result."
                    raise self._work.attention(text, self._sent)
            case "key" | "credit" | "refused_host":
                raise self._work.attention(self._place.describe(fault), self._sent)
            case "server" | "rate_limit":
                left = max(0.0, self._ends - time.monotonic())
                self._asked_wait = min(fault.retry_after or 0.0, left)
                text = f"{self._place.name} does not answer as it should ({fault.message}). It is asked again."
                self._report(text)
            case _:
                raise self._place.failure(fault)

    def _is_completed(self, update: Update) -> bool:
        """Report an update. Raises RenderFailed if it ends the job without a result."""
        state = self._provider.states.get(update.state)
        if state is None:
            _log_unknown(self._place.name, update.state)
        if update.cost is not None:
            self._ctx.spent(update.cost)
        error = update.error
        if error is None and state in (State.FAILED, State.CANCELLED):
            error = RemoteFault("failed" if state is State.FAILED else "cancelled", update.message)
        if error is None and state is State.COMPLETED and not update.results:
            error = RemoteFault("bad_result", "no result")
        if error is not None:
            error.message = self._work.connections.without_key(error.message)
            raise self._place.failure(error)
        if state is not State.COMPLETED:
            self._show(update, state or State.RENDERING)
        return state is State.COMPLETED

    def _show(self, update: Update, state: State) -> None:
        self._stage = state.value
        # It never falls within an attempt.
        if update.total and update.step * self._total >= self._step * update.total:
            self._step, self._total = update.step, update.total
        if update.preview is not None:
            self._preview(update.preview)
        self._report(update.message or self._in_words(state, update.position), update.estimated)

    def _in_words(self, state: State, position: int | None) -> str:
        name = self._place.name
        if state is State.RENDERING:
            return f"Rendering at {name}"
        if not position:
            return f"Waiting at {name}" if position is None else f"Next in line at {name}"
        return f"Waiting at {name}, {position} before it"

    def _report(self, message: str, estimated: bool = False) -> None:
        message = self._work.connections.without_key(message)
        shown = (self._step, self._total, self._stage, message, estimated)
        if shown != self._shown:
            self._shown = shown
            self._ctx.report(self._step, self._total, self._stage, message, estimated=estimated)

    def _preview(self, data: bytes) -> None:
        """Show a picture of the provider; one that is none is left out."""
        # Imported here: most providers send none.
        import numpy as np
        from PIL import Image

        with suppress(OSError, ValueError, SyntaxError):
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
            if image.width * image.height <= _MAX_PREVIEW_PIXELS:
                self._ctx.preview(np.asarray(image.convert("RGB")))

    def _check_deadline(self) -> None:
        if time.monotonic() < self._ends:
            return
        limit = f"{self._work.job.options.deadline_seconds:g} seconds of `deadline_seconds`"
        text = f"{self._place.name} did not end it within the {limit}. {self._work.stop(self._sent)}"
        raise RenderFailed(text, code="deadline_exceeded", retryable=True)

    def _stream(self) -> Update | None:
        """Take the updates of a stream until it ends. Returns the one of a completed job."""
        updates: Queue[Update | None] = Queue(_MAX_WAITING)
        stopped = threading.Event()
        # On a thread of its own: nothing ends a read that waits for the provider.
        reading = threading.Thread(target=copy_context().run, args=(self._read, updates, stopped), daemon=True)
        reading.start()
        asked_at = time.monotonic()
        try:
            while True:
                # Also while updates come faster than they are taken.
                self._check_deadline()
                self._ctx.wait(0.0)
                with suppress(Empty):
                    if (update := updates.get_nowait()) is None:
                        self._breaks += 1
                        return None
                    if self._is_completed(update):
                        return update
                    asked_at = time.monotonic()
                    continue
                if time.monotonic() - asked_at >= self._work.longest_wait:
                    # An open stream without updates may be that of a job that is not there any more.
                    asked_at = time.monotonic()
                    if (update := self._poll()) is not None:
                        return update
                self._work.pause(min(_STREAM_SECONDS, self._work.first_wait))
        finally:
            stopped.set()

    def _read(self, updates: Queue[Update | None], stopped: threading.Event) -> None:
        http = HttpClient(self._work.connections, time.sleep, self._work.first_wait)
        try:
            for update in self._provider.watch(http, self._work.job, self._sent):
                if not _put(updates, update, stopped):
                    return
        except Exception as problem:  # the job is polled instead
            text = self._work.connections.without_key(f"{type(problem).__name__}: {problem}")
            logger.warning("the stream of %s broke (%s); the job is polled", self._place.name, text)
        finally:
            _put(updates, None, stopped)


def _put(updates: Queue[Update | None], update: Update | None, stopped: threading.Event) -> bool:
    """Give an update to who waits for it. Returns False if nobody does any more."""
    while not stopped.is_set():
        with suppress(Full):
            updates.put(update, timeout=_SLICE_SECONDS)
            return True
    return False


@cache
def _log_unknown(provider: str, state: str) -> None:
    logger.warning("%s has the status %r, which is not known here; it counts as running", provider, state)
