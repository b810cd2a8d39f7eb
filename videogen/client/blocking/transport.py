"""Sends calls over blocking connections."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any, Self, TypeVar

import httpx

from videogen.client import policy
from videogen.client.blocking.watch import SyncSubscription
from videogen.client.calls import API, Call
from videogen.client.download import TIMEOUT, PartialFile
from videogen.client.errors import ApiError, ClientError, Unreachable, from_response
from videogen.client.watch_state import Watched, WatchState

T = TypeVar("T")


class Sender:
    """One session's connections. `as_session` gives another's, over the same ones."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; it connects on its first call.

        Args:
            base_url: where the app is, without `/api/v1`; a callable is asked once, at the first call.
            token: the session's token.
            transport: another way to the server, for tests.
        """
        self.token = token
        self._pool = _Pool(base_url, transport)

    def as_session(self, token: str | None) -> Self:
        """The same API and connections, seen by the session of `token`."""
        other = type(self).__new__(type(self))
        other.token, other._pool = token, self._pool
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, those of every `as_session` too."""
        self._pool.close()

    def _follow(
        self, path: str, last_event_id: int | None, *, one: bool, deadline: float | None = None
    ) -> Generator[Watched, None, None]:
        place = WatchState(path, policy.authorization(self.token), last_event_id, ends_with_terminal=one)
        return SyncSubscription(self._pool.http(), place, deadline).events()

    def _resume(self, link: str, part: PartialFile) -> Path:
        """Fetch a file, over any number of breaks."""
        try:
            while not part.is_whole:
                try:
                    self._fetch(link, part)
                    break
                except (httpx.TransportError, ClientError) as problem:
                    sleep(part.after(problem))
            return part.finish()
        finally:
            part.close()

    def _whole(self, link: str, part: PartialFile) -> Path:
        """Fetch what can only be had in one go. The token goes along to the API alone."""
        headers = policy.authorization(self.token) if link.startswith(API) else {}
        try:
            with (
                self._pool.http_for(link) as http,
                http.stream("GET", link, headers=headers, timeout=TIMEOUT) as response,
            ):
                if not response.is_success:
                    response.read()
                    raise from_response(response)
                for chunk in response.iter_raw():
                    part.write(chunk)
            return part.finish()
        except httpx.TransportError as problem:
            raise Unreachable(f"The zip broke off ({type(problem).__name__}). Start it again.") from problem
        finally:
            part.discard()

    def _fetch(self, link: str, part: PartialFile) -> None:
        with (
            self._pool.http_for(link) as http,
            http.stream("GET", link, headers=part.headers(), timeout=TIMEOUT) as response,
        ):
            if not response.is_success:
                response.read()
            part.begin(response)
            for chunk in response.iter_raw():
                part.write(chunk)

    def _send(self, call: Call[T]) -> T:
        tries = policy.RetryPolicy(call)
        while True:
            try:
                response = self._request(call)
                return call.answer(response)
            except httpx.TransportError as problem:
                sleep(tries.after(problem))
            except ApiError as refusal:
                if policy.needs_version(refusal):
                    raise policy.mismatch(call, self._ask_health()) from refusal
                raise

    def raw(self, method: str, path: str, query: str, body: bytes) -> httpx.Response:
        """The API's answer to a call that is made elsewhere, whatever it is; `path` is below `/api/v1/`.

        Raises:
            Unreachable: nothing answers.
        """
        headers = policy.authorization(self.token) | ({"Content-Type": "application/json"} if body else {})
        url = f"{API}/{path}" + (f"?{query}" if query else "")
        try:
            return self._pool.http().request(method, url, content=body or None, headers=headers)
        except httpx.TransportError as problem:
            raise Unreachable(f"{method} {path}: no answer ({type(problem).__name__}).") from problem

    def _request(self, call: Call[Any]) -> httpx.Response:
        options = policy.request_options(call, self.token)
        if call.body is not None:
            options["content"] = policy.chunks(call.body)
        return self._pool.http().request(call.method, call.path, **options)

    def _ask_health(self) -> httpx.Response | None:
        try:
            return self._pool.http().get("/healthz")
        except httpx.TransportError:
            return None


class _Pool:
    """The connections, opened at the first call: only then is the port of an app on port 0 known."""

    def __init__(self, base_url: str | Callable[[], str], transport: httpx.BaseTransport | None) -> None:
        self._base_url = base_url
        self._transport = transport
        self._http: httpx.Client | None = None

    def http(self) -> httpx.Client:
        if self._http is None:
            base_url = self._base_url if isinstance(self._base_url, str) else self._base_url()
            self._http = httpx.Client(transport=self._transport, **policy.http_options(base_url))
        return self._http

    @contextmanager
    def http_for(self, link: str) -> Iterator[httpx.Client]:
        """The client that may fetch a link of the app, which may be its public address."""
        if not policy.needs_own_client(str(self.http().base_url), link):
            yield self.http()
            return
        with httpx.Client(timeout=policy.TIMEOUT) as own:
            yield own

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None
