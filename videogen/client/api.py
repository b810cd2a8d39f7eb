"""The API, call by call."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from videogen.client.errors import ProtocolError, Unreachable, from_response
from videogen.client.stream import Subscription, Watched
from videogen.client.tolerant import read
from videogen.schemas import (
    EngineInfo,
    EngineList,
    File,
    Generation,
    GenerationCreate,
    GenerationPage,
    Model,
    Project,
    SessionCreated,
)

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=20.0, write=20.0, pool=5.0)
# Streams stay open for hours; a bound on connections would let the watchers starve everything else.
LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30.0)

M = TypeVar("M", bound=Model)


class AsyncClient:
    """One session's view of the API. `as_session` gives another's, over the same connections."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Make a client; it connects on its first call.

        Args:
            base_url: where the app is, without `/api/v1`; a callable is asked once, at the first call.
            token: the session's token.
            transport: another way to the server, for tests.
        """
        self.token = token
        self._base_url = base_url
        self._pool = _Pool(base_url, transport)

    def as_session(self, token: str | None) -> Self:
        """The same API and connections, seen by the session of `token`."""
        other = type(self).__new__(type(self))
        other.token, other._base_url, other._pool = token, self._base_url, self._pool
        return other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, those of every `as_session` too."""
        await self._pool.aclose()

    async def create_session(self) -> SessionCreated:
        """Make a new session. This client does not take its token: see `as_session`."""
        return await self._call(SessionCreated, "POST", "/sessions")

    async def submit(self, request: GenerationCreate, idempotency_key: str | None = None) -> Project:
        """Ask for a video. The same key with the same request gives the same project, however often."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return await self._call(Project, "POST", "/generations", json=body, headers=headers)

    async def get(self, generation_id: str) -> Generation:
        """One generation as it is now."""
        return await self._call(Generation, "GET", f"/generations/{_segment(generation_id)}")

    async def list(
        self,
        *,
        status: str | None = None,
        q: str | None = None,
        engine: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> GenerationPage:
        """One page of the history, newest first; `cursor` is the page before's `next_cursor`."""
        query = {"status": status, "q": q, "engine": engine, "cursor": cursor, "limit": limit}
        params = {key: value for key, value in query.items() if value is not None}
        return await self._call(GenerationPage, "GET", "/generations", params=params)

    async def cancel(self, generation_id: str) -> Generation:
        """Stop a generation. Safe at any time: one that has ended stays as it is."""
        return await self._call(Generation, "POST", f"/generations/{_segment(generation_id)}/cancel")

    async def retry(self, generation_id: str) -> Generation:
        """Start a new generation with the same recipe and seed."""
        return await self._call(Generation, "POST", f"/generations/{_segment(generation_id)}/retry")

    async def upload(self, image: bytes) -> File:
        """Keep an image (PNG, JPEG or WebP) to start from; its id is what `input_file_id` takes."""
        return await self._call(File, "POST", "/files", files={"file": ("image", image)})

    async def file(self, file_id: str) -> File:
        """An uploaded image or a finished still, with a fresh link."""
        return await self._call(File, "GET", f"/files/{_segment(file_id)}")

    async def engines(self) -> tuple[EngineInfo, ...]:
        """The engines on offer."""
        return tuple((await self._call(EngineList, "GET", "/engines")).items)

    def watch(
        self,
        *,
        generation: str | None = None,
        project: str | None = None,
        last_event_id: int | None = None,
    ) -> AsyncGenerator[Watched, None]:
        """Follow the whole session, or one generation, or one project, over any number of breaks.

        Without `last_event_id` it starts with the current state of everything in scope that has not ended. It
        ends when the server says that nothing more will come, and after the terminal event of one generation.

        Raises:
            ApiError: the server refuses the subscription for good (unknown id, no session).
        """
        if generation and project:
            raise ValueError("watch: expected a generation or a project, got both")
        path = "/events"
        if generation:
            path = f"/generations/{_segment(generation)}/events"
        elif project:
            path = f"/projects/{_segment(project)}/events"
        subscription = Subscription(
            http=self._pool.http(),
            url=f"/api/v1{path}",
            headers=self._authorization(),
            last_event_id=last_event_id,
            ends_with_terminal=generation is not None,
        )
        return subscription.events()

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def _call(self, model: type[M], method: str, path: str, **options: Any) -> M:
        headers = {**self._authorization(), **options.pop("headers", {})}
        try:
            response = await self._pool.http().request(method, f"/api/v1{path}", headers=headers, **options)
        except httpx.TransportError as problem:
            raise Unreachable(f"The API could not be reached ({type(problem).__name__}).") from problem
        if not response.is_success:
            raise from_response(response)
        try:
            return read(model, response.json())
        except (ValidationError, ValueError) as problem:
            raise ProtocolError(f"{method} {path}: expected a {model.__name__}, got {problem}") from problem


class _Pool:
    """The connections, opened at the first call: only then is the port of an app on port 0 known."""

    def __init__(self, base_url: str | Callable[[], str], transport: httpx.AsyncBaseTransport | None) -> None:
        self._base_url = base_url
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    def http(self) -> httpx.AsyncClient:
        if self._http is None:
            base_url = self._base_url if isinstance(self._base_url, str) else self._base_url()
            self._http = httpx.AsyncClient(
                base_url=base_url,
                transport=self._transport,
                timeout=TIMEOUT,
                limits=LIMITS,
                # A proxy named in the environment cannot know this machine's own loopback.
                trust_env=not _is_loopback(base_url),
            )
        return self._http

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None


def _segment(value: str) -> str:
    return quote(value, safe="")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
