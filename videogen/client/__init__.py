"""The HTTP client of the API: typed calls, and event streams that reconnect without a gap.

`connect()` returns a `Client` with this user's session; `connect_async()` an `AsyncClient`. Both have the same
methods. See docs/client.md.
"""

from __future__ import annotations

from videogen.client.blocking import Client
from videogen.client.client import AsyncClient
from videogen.client.connect import connect, connect_async
from videogen.client.errors import (
    ApiError,
    AttentionNeeded,
    ClientError,
    DownloadFailed,
    ExportFailed,
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

__all__ = [
    "ApiError",
    "AsyncClient",
    "AttentionNeeded",
    "Client",
    "ClientError",
    "ConnectionChange",
    "DownloadFailed",
    "ExportFailed",
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
