"""Fetches a result: bounded in size and time, whole, and from allowed hosts alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_never

from videogen.core.atomic_files import replacing
from videogen.engines.remote.answers import retry_after
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.provider import RemoteFault, ResultFile

_MIB: Final = 1 << 20
_FOR_LONG: Final = ("server", "rate_limit")
"""Faults that may last as long as the download may take; after others, the result may only not be there yet."""
_PAGES: Final = (b"<!doctype", b"<html", b"<?xml", b"{")
_HEAD: Final = 64
_MAX_WAIT: Final = 10.0


class _TooLargeError(RemoteFault):
    """No other attempt can help."""


class Download:
    """The download of all results of a job, with all its attempts: the limits of size and time are for all of them."""

    def __init__(
        self, connections: Connections, http: HttpClient, wait: Callable[[float], None], first_wait: float
    ) -> None:
        """
        Args:
            connections: of the engine.
            http: of the job.
            wait: called to wait some seconds; it may raise.
            first_wait: seconds before it is tried again; they double.
        """
        self._options, self._http, self._wait, self._first_wait = connections.options, http, wait, first_wait
        self._ends = time.monotonic() + self._options.download_seconds
        self._left = self._options.max_result_mb * _MIB

    def fetch(self, result: ResultFile, target: Path, watch: Callable[[int, int], None]) -> None:
        """Write the result to `target`, in one step and durably.

        Args:
            result: where it lies.
            target: the file.
            watch: called with the bytes so far, and with those of the whole (0: not known); it may raise.

        Raises:
            RemoteFault: it is not there, is no whole file, is too large, or took too long.
            OSError: the disk accepts no bytes.
        """
        began = time.monotonic()

        def is_worth_it(problem: BaseException) -> bool:
            if not isinstance(problem, RemoteFault) or isinstance(problem, _TooLargeError):
                return False
            if problem.kind == "refused_host":
                return False
            now = time.monotonic()
            return now < self._ends and (problem.kind in _FOR_LONG or now - began < self._options.forgotten_seconds)

        retrying = Retrying(
            retry=retry_if_exception(is_worth_it), stop=stop_never, wait=self._next_wait, sleep=self._wait, reraise=True
        )
        retrying(self._fetch_once, result, target, watch)
        self._left -= target.stat().st_size

    def _fetch_once(self, result: ResultFile, target: Path, watch: Callable[[int, int], None]) -> None:
        with self._http.following(result.url, result.headers) as response:
            _check_answer(response)
            total = int(response.headers.get("content-length", "0"))
            size, head = 0, b""
            with replacing(target) as part, part.open("wb") as file:
                # As they come: a chunk that is waited for in full could take for ever.
                for chunk in response.iter_raw():
                    head += chunk[: _HEAD - len(head)]
                    if _is_page(head):
                        raise RemoteFault("bad_result", "a page or a text")
                    size += file.write(chunk)
                    if max(size, total) > self._left:
                        text = f"It has more than the {self._options.max_result_mb} MiB of `max_result_mb`"
                        raise _TooLargeError("bad_result", text)
                    if time.monotonic() > self._ends:
                        raise RemoteFault("server", f"The download took more than {self._options.download_seconds:g} s")
                    watch(size, total)
                if not size or size < total:
                    raise RemoteFault("bad_result", f"{size} of {total or 'some'} bytes")

    def _next_wait(self, state: RetryCallState) -> float:
        problem = state.outcome.exception() if state.outcome else None
        asked = problem.retry_after if isinstance(problem, RemoteFault) and problem.retry_after else 0.0
        usual: float = min(_MAX_WAIT, self._first_wait * 2 ** min(10, state.attempt_number - 1))
        return min(max(asked, usual), max(0.0, self._ends - time.monotonic()))


def _check_answer(response: httpx.Response) -> None:
    status, kind = response.status_code, response.headers.get("content-type", "")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise RemoteFault("server", f"HTTP {status}", retry_after=retry_after(response.headers))
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RemoteFault("rate_limit", f"HTTP {status}", retry_after=retry_after(response.headers))
    if status != httpx.codes.OK:
        # An address whose signature has expired is refused with 403, and sometimes with 400 or 401.
        raise RemoteFault("not_found", f"HTTP {status} for the result, which may have expired")
    if kind.startswith(("text/html", "application/json", "application/xml")):
        raise RemoteFault("bad_result", f"a file of type {kind}")


def _is_page(head: bytes) -> bool:
    return head.lstrip().lower().startswith(_PAGES)
