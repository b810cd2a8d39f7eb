"""The HTTP client of the API: typed calls, and event streams that survive any break.

`connect()` gives a `Client` with the session that is kept for this user; `connect_async()` an `AsyncClient`. Both know
the same calls. See docs/client.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from videogen.client.connect import connect
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
from videogen.client.place import ConnectionChange, Watched
from videogen.client.sync import Client
from videogen.client.tokens import TokenFileError, TokenStore

if TYPE_CHECKING:
    from videogen.client.api import AsyncClient
    from videogen.client.connect_aio import connect_async

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
        from videogen.client.api import AsyncClient

        return AsyncClient
    if name == "connect_async":
        from videogen.client.connect_aio import connect_async

        return connect_async
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
