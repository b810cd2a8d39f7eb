"""Sends calls over HTTP connections: retries, downloads, subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import httpx
from pydantic import BaseModel

from videogen.client import policy
from videogen.client.calls import API, Call
from videogen.client.download import TIMEOUT, PartialFile
from videogen.client.errors import ApiError, ClientError, Unreachable, VersionMismatch, is_unknown_call
from videogen.client.watch import Subscription
from videogen.client.watch_state import ConnectionChange, E, StreamState, Watched, WatchState

M = TypeVar("M", bound=BaseModel)
CHUNK_BYTES: Final = 256 * 1024


class Transport:
    """One session's connections. `as_session` gives another session's, over the same ones."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        absolute_links: bool = True,
    ) -> None:
        """Make a client; it connects on its first call.

        Args:
            base_url: the address of the app, without `/api/v1`. A callable is called once, at the first call.
            token: the session's token.
            transport: replaces the network, for tests.
            absolute_links: whether links in results begin with an address; else they are as the API sends them,
                which may be a path alone.
        """
        self.token = token
        self._absolute_links = absolute_links
        self._more_headers: Callable[[], Mapping[str, str]] = dict
        self._pool = _Pool(base_url, transport)

    def as_session(self, token: str | None, headers: Callable[[], Mapping[str, str]] | None = None) -> Self:
        """The same API and connections, with the session of `token`.

        Args:
            token: the session's token.
            headers: makes further headers, anew for each request; None means those of this client.
        """
        other = copy(self)
        other.token = token
        if headers is not None:
            other._more_headers = headers
        return other

    def _headers(self) -> dict[str, str]:
        """The headers of every request to the API."""
        return {**policy.authorization(self.token), **self._more_headers()}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, those of every `as_session` too."""
        await self._pool.aclose()

    async def raw(self, method: str, path: str, query: str, body: bytes) -> httpx.Response:
        """Send any request to `path` below `/api/v1/`, and return the response as it is.

        Raises:
            Unreachable: the server does not answer.
        """
        headers = self._headers() | ({"Content-Type": "application/json"} if body else {})
        url = f"{API}/{path}" + (f"?{query}" if query else "")
        try:
            return await self._pool.http().request(method, url, content=body or None, headers=headers)
        except httpx.TransportError as problem:
            raise Unreachable(f"{method} {path}: no answer ({type(problem).__name__}).") from problem

    async def _send(self, call: Call[M]) -> M:
        retries = policy.RetryPolicy(call)
        while True:
            try:
                return call.result(await self._request(call), absolute=self._absolute_links)
            except httpx.TransportError as problem:
                await asyncio.sleep(retries.delay_after(problem))
            except ApiError as refusal:
                if is_unknown_call(refusal):
                    raise VersionMismatch(str(call), await self._server_version()) from refusal
                raise

    async def _request(self, call: Call[Any]) -> httpx.Response:
        headers = {**self._headers(), **call.headers}
        content = None if call.body is None else _read_chunks(call.body)
        return await self._pool.http().request(call.method, call.path, headers=headers, content=content, **call.options)

    async def _server_version(self) -> str | None:
        """The version that the server states; None if it is not videogen."""
        try:
            health = (await self._pool.http().get("/healthz")).raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return None
        version = health.get("version") if isinstance(health, dict) and health.get("name") == "videogen" else None
        return version if isinstance(version, str) else None

    def _subscribe(
        self,
        path: str,
        last_event_id: int | None,
        on_retention: Callable[[Sequence[str]], None] | None = None,
        *,
        ends_with_terminal: bool,
    ) -> AsyncGenerator[Watched, None]:
        state = WatchState(path, self._headers, last_event_id, ends_with_terminal=ends_with_terminal)
        state.on_retention = on_retention or state.on_retention
        return self._follow(state)

    def _follow(self, state: StreamState[E]) -> AsyncGenerator[E | ConnectionChange, None]:
        return Subscription(self._pool.http(), state, absolute_links=self._absolute_links).events()

    async def _fetch_with_resume(self, link: str, part: PartialFile) -> Path:
        """Fetch a file. After a break ask for the rest."""
        try:
            while not part.is_complete:
                try:
                    await self._fetch(link, part, part.request_headers())
                    break
                except (httpx.TransportError, ClientError) as problem:
                    await asyncio.sleep(part.delay_after(problem))
            return await asyncio.to_thread(part.finish)
        finally:
            part.close()

    async def _fetch(self, link: str, part: PartialFile, headers: Mapping[str, str], *, is_led: bool = False) -> None:
        async with (
            self._pool.http_for(link) as http,
            http.stream("GET", link, headers=headers, timeout=TIMEOUT) as response,
        ):
            if response.status_code == httpx.codes.TEMPORARY_REDIRECT and not is_led:
                # To the bucket, which gets no token of ours.
                await self._fetch(response.headers["location"], part, part.request_headers(), is_led=True)
                return
            if not response.is_success:
                await response.aread()
            part.start(response)
            async for chunk in response.aiter_raw():
                part.write(chunk)

    async def _fetch_at_once(self, link: str, part: PartialFile) -> Path:
        """Fetch a file that does not support ranges. The token is sent to the API only."""
        headers = self._headers() if link.startswith(API) else {}
        try:
            await self._fetch(link, part, headers)
            return await asyncio.to_thread(part.finish)
        except httpx.TransportError as problem:
            raise Unreachable(f"The zip broke off ({type(problem).__name__}). Start it again.") from problem
        finally:
            part.discard()


class _Pool:
    """The connections, made at the first call: the port of an app on port 0 is not known before."""

    def __init__(self, base_url: str | Callable[[], str], transport: httpx.AsyncBaseTransport | None) -> None:
        self._base_url = base_url
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    def http(self) -> httpx.AsyncClient:
        if self._http is None:
            base_url = self._base_url if isinstance(self._base_url, str) else self._base_url()
            self._http = policy.open_http(base_url, self._transport)
        return self._http

    @asynccontextmanager
    async def http_for(self, link: str) -> AsyncIterator[httpx.AsyncClient]:
        """The client for a link of the app, which may use the app's public address."""
        if not policy.needs_own_client(str(self.http().base_url), link):
            yield self.http()
            return
        async with policy.open_http(link) as own:
            yield own

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None


async def _read_chunks(path: Path) -> AsyncGenerator[bytes, None]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
