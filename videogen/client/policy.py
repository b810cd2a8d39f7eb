"""How calls are sent, as far as it is the same for both clients: connections, headers, what is tried again."""

from __future__ import annotations

import ipaddress
import random
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from videogen.client.calls import Call
from videogen.client.errors import ApiError, ProtocolError, Unreachable, VersionMismatch, is_unknown_call

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=20.0, write=20.0, pool=5.0)
# Streams stay open for hours; a bound on connections would let the watchers starve everything else.
LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30.0)
TRIES: Final = 3
CHUNK: Final = 256 * 1024


def http_options(base_url: str) -> dict[str, Any]:
    """What both kinds of httpx client are made with."""
    return {
        "base_url": base_url,
        "timeout": TIMEOUT,
        "limits": LIMITS,
        # Reading the certificates of the system takes longer than all else here; plain http needs none. This context
        # has none either, so that a connection by TLS, should there be one, is refused and not trusted.
        "verify": True if _is_https(base_url) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        # A proxy named in the environment cannot know this machine's own loopback.
        "trust_env": not is_loopback(base_url),
    }


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def needs_own_client(base_url: str, link: str) -> bool:
    """Whether a link leads to TLS, which the client of this address has no certificates for."""
    return _is_https(link) and not _is_https(base_url)


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


def authorization(token: str | None) -> dict[str, str]:
    """The header that says whose session it is."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def request_options(call: Call[Any], token: str | None) -> dict[str, Any]:
    """What httpx takes for a call."""
    return {**call.options, "headers": {**authorization(token), **call.headers}}


class RetryPolicy:
    """Whether a call that got no answer is sent again, and after how long."""

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._left = TRIES - 1 if call.repeatable and call.body is None else 0
        self._backoff = Backoff()

    def after(self, problem: httpx.TransportError) -> float:
        """Seconds to wait before the next try.

        Raises:
            Unreachable: there is none: the call may have been carried out, the server is slow, or it was tried enough.
        """
        if isinstance(problem, httpx.TimeoutException) and not isinstance(problem, httpx.ConnectTimeout):
            raise Unreachable(f"{self._call}: no answer in time ({type(problem).__name__}).") from problem
        if self._left == 0:
            raise Unreachable(f"The API could not be reached ({type(problem).__name__}).") from problem
        self._left -= 1
        return self._backoff.next()


def needs_version(problem: ApiError) -> bool:
    """Whether the server must be asked for its version, to tell why it refused."""
    return is_unknown_call(problem)


def mismatch(call: Call[Any], health: httpx.Response | None) -> VersionMismatch | ProtocolError:
    """Why a server does not know a call, from what its `/healthz` says."""
    told: Any = None
    if health is not None and health.is_success:
        try:
            told = health.json()
        except ValueError:
            pass
    version = told.get("version") if isinstance(told, dict) and told.get("name") == "videogen" else None
    return VersionMismatch(str(call), version if isinstance(version, str) else None)


def chunks(path: Path) -> Iterator[bytes]:
    """A file, piece by piece."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


FIRST_SECONDS: Final = 0.1
LAST_SECONDS: Final = 5.0


class Backoff:
    """Doubling waits with jitter, so that a thousand clients do not come back in the same instant."""

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        last: float = LAST_SECONDS,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._last = last
        self._rand = rand
        self._tries = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait now: between half and all of a bound that doubles with each try."""
        bound = min(self._last, self._first * 2.0**self._tries)
        self._tries = min(self._tries + 1, 32)
        return max(at_least, bound * (0.5 + self._rand() / 2))

    def reset(self) -> None:
        """Start over from the shortest wait: the other side has shown a sign of life."""
        self._tries = 0
