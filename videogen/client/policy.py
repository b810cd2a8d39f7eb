"""How calls are sent: connection options, headers, retries."""

from __future__ import annotations

import ipaddress
import random
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from videogen.client.calls import Call
from videogen.client.errors import Unreachable
from videogen.core.network import unusable_variables
from videogen.core.version import __version__

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=20.0, write=20.0, pool=5.0)
# Event streams stay open for hours. With a limit they could use up all connections.
LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30.0)
TRIES: Final = 3
FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 5.0
"""Seconds."""


def open_http(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The connections to this address.

    Raises:
        Unreachable: the address is wrong, or a variable of the environment that httpx needs for it.
    """
    try:
        return httpx.AsyncClient(transport=transport, **http_options(base_url))
    except Exception as problem:
        # It is of many kinds: ImportError, ValueError, OSError, httpx.InvalidURL.
        for name, reason in unusable_variables().items():
            raise Unreachable(f"{name} cannot be used ({reason}). Correct it, or unset it.") from problem
        raise Unreachable(
            f"{base_url}: expected an address such as https://video.example.org ({problem})."
        ) from problem


def direct_transport() -> httpx.AsyncBaseTransport:
    """Connections that use no proxy, for an app that talks to itself."""
    return httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=LIMITS, trust_env=False)


def http_options(base_url: str) -> dict[str, Any]:
    """The arguments of `httpx.AsyncClient` for this address."""
    return {
        "base_url": base_url,
        # A session's device is listed under this name.
        "headers": {"User-Agent": f"videogen/{__version__}"},
        "timeout": TIMEOUT,
        "limits": LIMITS,
        # Loading the system's certificates is slow, and plain http needs none. This context has none, so any TLS
        # connection fails instead of being trusted.
        "verify": True if _is_https(base_url) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        # A proxy from the environment cannot reach the loopback address of this machine.
        "trust_env": not is_loopback(base_url),
    }


def is_loopback(url: str) -> bool:
    """Whether an address is a loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def needs_own_client(base_url: str, link: str) -> bool:
    """Whether a link needs TLS while the client of this address has no certificates."""
    return _is_https(link) and not _is_https(base_url)


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


def authorization(token: str | None) -> dict[str, str]:
    """The header that identifies the session."""
    return {"Authorization": f"Bearer {token}"} if token else {}


class RetryPolicy:
    """Whether a call without a response is sent again, and when."""

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._retries_left = TRIES - 1 if call.repeatable and call.body is None else 0
        self._backoff = Backoff()

    def delay_after(self, problem: httpx.TransportError) -> float:
        """Seconds to wait before the next try.

        Raises:
            Unreachable: no more tries: the call must not be repeated, the server is slow, or all tries failed.
        """
        if isinstance(problem, httpx.TimeoutException) and not isinstance(problem, httpx.ConnectTimeout):
            raise Unreachable(f"{self._call}: no answer in time ({type(problem).__name__}).") from problem
        if self._retries_left == 0:
            raise Unreachable(f"The API could not be reached ({type(problem).__name__}).") from problem
        self._retries_left -= 1
        return self._backoff.next()


class Backoff:
    """Delays that double, with jitter: so many clients do not reconnect at the same time."""

    def __init__(
        self, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY, rand: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = longest
        self._rand = rand
        self._tries = 0

    def next(self, at_least: float = 0.0) -> float:
        """The next delay in seconds: between half of a limit and all of it. The limit doubles with each try."""
        limit = min(self._longest, self._first * 2.0**self._tries)
        self._tries = min(self._tries + 1, 32)
        return max(at_least, limit * (0.5 + self._rand() / 2))

    def reset(self) -> None:
        """Start again with the shortest delay, after a success."""
        self._tries = 0
