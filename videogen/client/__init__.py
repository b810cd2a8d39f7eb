"""The HTTP client of the API: typed calls, and event streams that survive any break.

`connect()` gives a `Client` with the session that is kept for this user; `connect_async()` an `AsyncClient`. Both know
the same calls. See docs/client.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from videogen.client.blocking.client import Client
from videogen.client.blocking.connect import connect
from videogen.client.errors import (
    ApiError,
    ClientError,
    DownloadFailed,
    GenerationCancelled,
    GenerationEnded,
    GenerationFailed,
    ProtocolError,
    Unreachable,
    VersionMismatch,
    WaitTimeout,
)
from videogen.client.tokens import TokenFileError, TokenStore
from videogen.client.watch_state import ConnectionChange, Watched

if TYPE_CHECKING:
    from videogen.client.aio.client import AsyncClient
    from videogen.client.aio.connect import connect_async

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionChange",
    "DownloadFailed",
    "GenerationCancelled",
    "GenerationEnded",
    "GenerationFailed",
    "ProtocolError",
    "TokenFileError",
    "TokenStore",
    "Unreachable",
    "VersionMismatch",
    "WaitTimeout",
    "Watched",
    "connect",
    "connect_async",
]


def __getattr__(name: str) -> Any:
    # On demand: a command line that needs no asyncio starts faster without.
    if name == "AsyncClient":
        from videogen.client.aio.client import AsyncClient

        return AsyncClient
    if name == "connect_async":
        from videogen.client.aio.connect import connect_async

        return connect_async
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
