"""HTTP for remote engines: what may be repeated is, a POST never is, and no key gets into a text.

Only hosts of the engine are asked (see `hosts`), also after a redirect. The key goes to the provider's own hosts alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx
import httpx_sse
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from videogen.engines.base import RenderFailed
from videogen.engines.remote.answers import bounded_events, error_text, kind_of_status, read_body, retry_after
from videogen.engines.remote.hosts import AllowedHosts
from videogen.engines.remote.options import RemoteOptions
from videogen.engines.remote.provider import Answer, Provider, RemoteFault

MAX_REDIRECTS: Final = 5
ATTEMPTS: Final = 3
"""How often a GET is sent before its fault is reported."""
_NEVER_SENT: Final = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)  # fmt: skip
_MAX_TEXT: Final = 500
_MAX_WAIT: Final = 5.0

# They log each request with its address, in which a signature may stand, or with its headers.
for noisy in ("httpx", "httpcore", "websockets"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


class Connections:
    """The connections of one engine, shared by its jobs. Thread-safe."""

    def __init__(self, provider: Provider, options: RemoteOptions, key: str) -> None:
        """
        Args:
            provider: whose API it is.
            options: of the engine.
            key: the key itself; empty: requests have none.

        Raises:
            RenderFailed: the key cannot be a header.
        """
        if key and not re.fullmatch(r"[!-~]+", key):
            name = options.key.removeprefix("env:") or provider.key_variable
            text = f"The key in {name} has spaces, line breaks or other characters that no key has. Correct it."
            raise RenderFailed(f"{text} Then restart videogen.", code="engine_unavailable")
        self.provider, self.options, self._key = provider, options, key
        self.base_url = (options.base_url or provider.base_url).rstrip("/")
        self.hosts = AllowedHosts(self.base_url, options.hosts, provider.hosts + provider.key_hosts)
        self._key_hosts = AllowedHosts(self.base_url, (), provider.key_hosts)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        certificates = httpx.create_ssl_context()
        self.client = httpx.Client(verify=certificates, limits=limits)
        # On a connection of its own: one that the provider has just closed would lose the request.
        once = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.once = httpx.Client(verify=certificates, limits=once)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()
        self.once.close()

    def headers(self, url: httpx.URL, further: Mapping[str, str] | None) -> dict[str, str]:
        """The headers of a request, with the key if it goes to the provider."""
        headers = {"User-Agent": "videogen", "Accept-Encoding": "identity", **(further or {})}
        if self._key and (self.hosts.is_base(url) or self._gets_key(url)):
            name, form = self.provider.key_header
            headers[name] = form.format(key=self._key)
        return headers

    def without_key(self, text: str) -> str:
        """A text for people or logs: on one line, not too long, and never with the key in it."""
        text = text.replace(self._key, "***") if self._key else text
        return " ".join(text.split())[:_MAX_TEXT]

    def without_key_bytes(self, body: bytes) -> bytes:
        """The body of an answer; some providers repeat the key in it."""
        if not self._key:
            return body
        # In JSON, a key with a quote or a backslash has escapes.
        return body.replace(self._key.encode(), b"***").replace(orjson.dumps(self._key)[1:-1], b"***")

    def _gets_key(self, url: httpx.URL) -> bool:
        return url.scheme == "https" and self._key_hosts.matches(url.host)


class HttpClient:
    """See `provider.Http`: the requests of one job."""

    def __init__(
        self,
        connections: Connections,
        wait: Callable[[float], None],
        first_wait: float,
        *,
        seconds: float | None = None,
    ) -> None:
        """
        Args:
            connections: of the engine.
            wait: called to wait some seconds; it may raise.
            first_wait: seconds before a request is repeated; they double.
            seconds: how long a request may take to be answered; None: as the options say.
        """
        self.connections, self._wait, self._first_wait = connections, wait, first_wait
        self._seconds = min(seconds or connections.options.request_seconds, connections.options.request_seconds)
        self._timeout = httpx.Timeout(self._seconds, connect=min(15.0, self._seconds))
        self.base_url = connections.base_url

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """See `provider.Http`."""
        body: dict[str, Any] = {"json": json, "data": data, "files": files}
        return self._once("POST", url, headers, {name: part for name, part in body.items() if part is not None})

    def send(
        self, method: str, url: str, *, json: Any = None, content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """See `provider.Http`."""
        return self._once(method, url, headers, {"json": json} if content is None else {"content": content})

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        accepts: Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """See `provider.Http`."""

        def ask() -> Answer:
            with self.following(url, headers, params) as response:
                answer = self._answer(response)
            if answer.status >= httpx.codes.BAD_REQUEST and not (accepts and accepts(answer)):
                raise self._fault(answer)
            return answer

        retrying = Retrying(
            retry=retry_if_exception(_may_pass), stop=stop_after_attempt(ATTEMPTS), wait=self._next_wait,
            sleep=self._wait, reraise=True,
        )  # fmt: skip
        return retrying(ask)

    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[httpx_sse.ServerSentEvent]:
        """See `provider.Http`."""
        events = {"Accept": "text/event-stream", "Cache-Control": "no-store", **(headers or {})}
        with self.following(url, events) as response:
            if response.status_code >= httpx.codes.BAD_REQUEST:
                raise self._fault(self._answer(response))
            try:
                yield from httpx_sse.EventSource(bounded_events(response)).iter_sse()
            except (httpx.TransportError, httpx_sse.SSEError) as problem:
                raise self._lost(problem) from None

    @contextmanager
    def following(
        self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None
    ) -> Iterator[httpx.Response]:
        """Send a GET, follow its redirects, and yield the answer before its body is read.

        Each address is checked, and gets the key only if it is the provider's.
        """
        target = self._url(url)
        target = target.copy_merge_params(params) if params else target
        for _ in range(MAX_REDIRECTS + 1):
            self.connections.hosts.check(target)
            given = self.connections.headers(target, headers)
            request = self.connections.client.build_request("GET", target, headers=given, timeout=self._timeout)
            with self._sent(self.connections.client, request) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                found = _joined(target, response.headers["location"])
            # What was meant for the first host is not meant for another.
            headers, target = (headers if found.host == target.host else None), found
        raise RemoteFault("server", f"It redirected more than {MAX_REDIRECTS} times.")

    def _once(self, method: str, url: str, headers: Mapping[str, str] | None, body: dict[str, Any]) -> Answer:
        target = self._url(url)
        self.connections.hosts.check(target)
        given = self.connections.headers(target, headers)
        request = self.connections.once.build_request(method, target, headers=given, timeout=self._timeout, **body)
        with self._sent(self.connections.once, request) as response:
            answer = self._answer(response)
        if answer.status >= httpx.codes.MULTIPLE_CHOICES:
            raise self._fault(answer)
        return answer

    @contextmanager
    def _sent(self, client: httpx.Client, request: httpx.Request) -> Iterator[httpx.Response]:
        try:
            response = client.send(request, stream=True)
        except (httpx.TransportError, httpx.InvalidURL) as problem:
            raise self._lost(problem) from None
        try:
            self.connections.hosts.check_peer(response)
            yield response
        except httpx.TransportError as problem:
            raise self._lost(problem) from None
        finally:
            response.close()

    def _url(self, url: str) -> httpx.URL:
        try:
            return httpx.URL(f"{self.base_url}{url}" if url.startswith("/") else url)
        except httpx.InvalidURL:
            raise RemoteFault("server", "It gave an address that is none.") from None

    def _answer(self, response: httpx.Response) -> Answer:
        """Read the body."""
        body = self.connections.without_key_bytes(read_body(response, self._seconds))
        text = body.decode(errors="replace")
        try:
            parsed = orjson.loads(self.connections.without_key_bytes(_unescaped(body)))
        except orjson.JSONDecodeError:
            parsed = None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, text, parsed)

    def _fault(self, answer: Answer) -> RemoteFault:
        """The fault in an answer with an error status."""
        fault = self.connections.provider.read_error(answer) or RemoteFault(kind_of_status(answer.status))
        text = fault.message or error_text(answer) or f"HTTP {answer.status}"
        refused = fault.is_refusal or (
            answer.status in range(400, 500) and answer.status != httpx.codes.REQUEST_TIMEOUT
        )
        seconds = fault.retry_after if fault.retry_after is not None else retry_after(answer.headers)
        return RemoteFault(fault.kind, self.connections.without_key(text), retry_after=seconds, is_refusal=refused)

    def _lost(self, problem: Exception) -> RemoteFault:
        """The fault of a request without an answer."""
        text = self.connections.without_key(f"{type(problem).__name__}: {problem}".rstrip(": "))
        return RemoteFault("server", text, is_refusal=isinstance(problem, _NEVER_SENT))

    def _next_wait(self, state: RetryCallState) -> float:
        problem = state.outcome.exception() if state.outcome else None
        asked = problem.retry_after if isinstance(problem, RemoteFault) and problem.retry_after else 0.0
        usual: float = min(_MAX_WAIT, self._first_wait * 2 ** (state.attempt_number - 1))
        return max(asked, usual)


def _joined(base: httpx.URL, location: str) -> httpx.URL:
    try:
        return base.join(location)
    except httpx.InvalidURL:
        raise RemoteFault("server", "It redirected to an address that is none.") from None


def _unescaped(body: bytes) -> bytes:
    """The same JSON with as few escapes as there can be, so that a key is seen in whatever form it is written."""
    return orjson.dumps(orjson.loads(body)) if b"\\" in body else body


def _may_pass(problem: BaseException) -> bool:
    """Whether a GET is worth repeating at once. What takes longer is for whoever polls."""
    if not isinstance(problem, RemoteFault) or problem.kind not in ("server", "rate_limit"):
        return False
    return (problem.retry_after or 0.0) <= _MAX_WAIT
